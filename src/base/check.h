// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace mlos {

/// Writes the broken invariant to standard error and aborts. See MLOS_CHECK.
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition,
                              std::string_view message);

}  // namespace mlos

/// Aborts if the condition does not hold. Only a bug of ours may break it: a failure that a caller,
/// a file or a network can cause is a Status, never a check.
#define MLOS_CHECK(condition, message) \
  ((condition) ? static_cast<void>(0)  \
               : ::mlos::CheckFailed(__FILE__, __LINE__, #condition, message))
