// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

namespace mlos::plugin {

/// What plugins say through set_error, kept for each thread: the reason of the call that runs on
/// it, or of the next response that it gives.
///
/// Text is one caller's. A plugin may say it on a thread and then answer that caller from another
/// one; what is left on the first must not reach whoever asks later.
class CallError {
 public:
  /// A place in the order of all that is said.
  using Moment = std::uint64_t;
  static Moment Now();

  static void Clear();
  /// Forgets what was said on this thread before `moment`.
  static void ClearBefore(Moment moment);
  /// Copies at most 4,096 bytes; null is an empty text.
  static void Set(const char* message);
  /// What was set last on this thread since Clear; valid until either is called again.
  static const std::string& Last();
};

}  // namespace mlos::plugin
