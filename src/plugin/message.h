// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace mlos::plugin {

/// What a plugin or a library said, fit for strangers: one line of printable UTF-8, 1,000 bytes at
/// most, without `folder`, paths of this machine, or addresses. The names that exporters give to a
/// graph's nodes look like paths ("/encoder/layer.0/MatMul") and stay.
std::string CleanMessage(std::string_view text, std::string_view folder = {});

/// What a plugin was asked to do when it failed: the same status means different things to callers.
enum class Activity : std::uint8_t { kStart, kModel, kInference };

/// The failure that the SMI status `smi_status` stands for. `message` has been cleaned; where it is
/// empty the plugin gave no reason. A message that begins with `input "x"` names the field.
Status StatusOf(Activity activity, int smi_status, std::string_view plugin_id,
                std::string_view message);

}  // namespace mlos::plugin
