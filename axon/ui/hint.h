// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace axon::ui {

/// Adds advice to a failure: what the user can do about it. It travels inside the message, so that
/// it survives every layer between the one that knows and the one that prints. No effect on
/// success.
mlos::Status WithHint(mlos::Status status, std::string_view hint);

/// A failure as it is shown: what happened, and the advice that was added on the way.
struct Explanation {
  std::string message;
  std::vector<std::string> hints;
};
Explanation Explain(const mlos::Status& status);

}  // namespace axon::ui
