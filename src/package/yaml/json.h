// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "package/yaml/tree.h"

namespace mlos::package::yaml {

/// The node as JSON without blanks. A scalar without quotes that is a number, true or false in JSON
/// is that; any other is a string.
std::string ToJson(const Node& node);

}  // namespace mlos::package::yaml
