// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <type_traits>
#include <utility>

#include "base/check.h"
#include "base/status.h"

namespace mlos {

/// The outcome of an operation that yields a `T`: either the value or the Status of its failure.
/// Thread-compatible.
template <typename T>
class [[nodiscard]] Result {
  static_assert(!std::is_same_v<std::remove_cv_t<T>, Status>, "use Status itself");

 public:
  // Implicit on purpose, so that `return value;` and `return Status(...);` both read naturally.
  template <typename U = T>
    requires std::is_constructible_v<T, U&&> && (!std::is_same_v<std::remove_cvref_t<U>, Result>) &&
             (!std::is_same_v<std::remove_cvref_t<U>, Status>)
  Result(U&& value) : value_(std::forward<U>(value)) {}  // NOLINT(google-explicit-constructor)
  Result(Status status) : status_(std::move(status)) {   // NOLINT(google-explicit-constructor)
    MLOS_CHECK(!status_.ok(), "a Result made of a successful Status has no value");
  }

  bool ok() const { return value_.has_value(); }
  const Status& status() const& { return status_; }
  Status status() && { return std::move(status_); }

  /// Requires ok().
  T& value() & {
    MLOS_CHECK(ok(), status_.ToString());
    return *value_;
  }
  const T& value() const& {
    MLOS_CHECK(ok(), status_.ToString());
    return *value_;
  }
  T value() && {
    MLOS_CHECK(ok(), status_.ToString());
    return std::move(*value_);
  }

  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  Status status_;
  std::optional<T> value_;
};

namespace result_internal {

inline void Take(Status&&) {}
template <typename T>
T Take(Result<T>&& result) {
  return std::move(result).value();
}

inline Status Error(Status&& status) { return std::move(status); }
template <typename T>
Status Error(Result<T>&& result) {
  return std::move(result).status();
}

}  // namespace result_internal
}  // namespace mlos

/// Yields the value of a Result (nothing of a Status), or returns its failure from the enclosing
/// function: `auto shape = MLOS_TRY(ParseShape(text));`. A statement expression, which g++ and
/// clang both have.
#define MLOS_TRY(expression)                                              \
  ({                                                                      \
    auto mlos_try_outcome = (expression);                                 \
    if (!mlos_try_outcome.ok()) [[unlikely]]                              \
      return ::mlos::result_internal::Error(std::move(mlos_try_outcome)); \
    ::mlos::result_internal::Take(std::move(mlos_try_outcome));           \
  })
