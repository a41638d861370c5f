// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "json/json_writer.h"

namespace mlos::api::document {

using json::JsonWriter;

/// That Core is up, which it is: `version` and the doors that are open.
void WriteHealth(JsonWriter& writer, std::string_view version,
                 const std::vector<std::string>& apis);

}  // namespace mlos::api::document
