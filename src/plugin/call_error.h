// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace mlos::plugin {

/// What plugins say through set_error, kept for each thread: the reason of the call that runs on
/// it.
class CallError {
 public:
  static void Clear();
  /// Copies at most 4,096 bytes; null is an empty text.
  static void Set(const char* message);
  /// What was set last on this thread since Clear; valid until either is called again.
  static const std::string& Last();
};

}  // namespace mlos::plugin
