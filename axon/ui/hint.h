// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace axon::ui {

/// Adds advice to a failure: what the user can do about it. The advice travels inside the message,
/// so that every layer between its source and the console keeps it. No effect on success.
mlos::Status WithHint(mlos::Status status, std::string_view hint);

/// A failure as it is shown: its message, and the advice that was added on the way.
struct Explanation {
  std::string message;
  std::vector<std::string> hints;
};
Explanation Explain(const mlos::Status& status);

}  // namespace axon::ui
