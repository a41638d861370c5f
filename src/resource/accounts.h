// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/mutex.h"
#include "resource/byte_budget.h"

namespace mlos::resource {

/// The accounts that callers have with a budget, one for each name.
///
///     named ──last lease ends──► idle ──all is given back, and another name needs one──► named
///       ▲                          │
///       └──────a lease of it───────┘
///
/// An account lives as long as the whole: buffers and requests that outlive their connection may go
/// on with it. The worst that can come of that is that a little which begins late counts for the
/// account's next caller. There are as many as callers were connected at once. Thread-safe.
class Accounts {
 private:
  struct Account;

 public:
  /// `whole` must outlive it.
  explicit Accounts(ByteBudget& whole) : whole_(whole) {}
  Accounts(const Accounts&) = delete;
  Accounts& operator=(const Accounts&) = delete;

  /// Keeps an account for its caller.
  class Lease {
   public:
    Lease(Accounts& accounts, Account& account) : accounts_(&accounts), account_(&account) {}
    Lease(Lease&& other) noexcept
        : accounts_(std::exchange(other.accounts_, nullptr)), account_(other.account_) {}
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (accounts_ != nullptr) accounts_->End(*account_);
    }
    ByteBudget& budget() const;

   private:
    Accounts* accounts_;
    Account* account_;
  };

  /// The account of the caller `name`.
  Lease Open(std::string_view name);
  const ByteBudget& whole() const { return whole_; }

 private:
  struct Account {
    explicit Account(ByteBudget& whole) : budget(&whole) {}

    ByteBudget budget;
    std::string name;
    std::uint32_t leases = 0;
    std::list<Account*>::iterator idle_place;
  };

  Account& FindOrMake(std::string_view name) REQUIRES(mutex_);
  Account* TakeIdle() REQUIRES(mutex_);
  void End(Account& account);

  ByteBudget& whole_;
  Mutex mutex_;
  std::list<Account> accounts_ GUARDED_BY(mutex_);  ///< their addresses stay
  std::unordered_map<std::string, Account*> named_ GUARDED_BY(mutex_);
  std::list<Account*> idle_ GUARDED_BY(mutex_);  ///< without a lease, the longest idle first
};

inline ByteBudget& Accounts::Lease::budget() const { return account_->budget; }

}  // namespace mlos::resource
