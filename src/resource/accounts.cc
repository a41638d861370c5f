// SPDX-License-Identifier: MIT
#include "resource/accounts.h"

#include <algorithm>
#include <iterator>

namespace mlos::resource {
namespace {

// Idle accounts that are looked at for one of which all is given back.
constexpr std::ptrdiff_t kLooksMax = 8;

}  // namespace

Accounts::Lease Accounts::Open(std::string_view name) {
  const MutexLock lock(mutex_);
  Account& account = FindOrMake(name);
  ++account.leases;
  return {*this, account};
}

Accounts::Account& Accounts::FindOrMake(std::string_view name) {
  const auto [found, is_new] = named_.try_emplace(std::string(name), nullptr);
  if (!is_new) {
    Account& account = *found->second;
    if (account.leases == 0) idle_.erase(account.idle_place);
    return account;
  }
  Account* account = TakeIdle();
  if (account == nullptr) account = &accounts_.emplace_back(whole_);
  account->name = name;
  found->second = account;
  return *account;
}

Accounts::Account* Accounts::TakeIdle() {
  const auto looks = std::min<std::ptrdiff_t>(kLooksMax, std::ssize(idle_));
  const auto end = std::next(idle_.begin(), looks);
  const auto found = std::find_if(
      idle_.begin(), end, [](const Account* account) { return account->budget.used() == 0; });
  if (found == end) return nullptr;
  Account* const account = *found;
  idle_.erase(found);
  named_.erase(account->name);
  return account;
}

void Accounts::End(Account& account) {
  const MutexLock lock(mutex_);
  if (--account.leases != 0) return;
  account.idle_place = idle_.insert(idle_.end(), &account);
}

}  // namespace mlos::resource
