// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace mlos::api::http::openapi {

/// The description of the HTTP door, OpenAPI 3.1 in JSON: openapi.json of this folder, with the
/// members that stand for the settings of a model in it. A test compares it with the table of
/// routes. Thread-safe.
std::string_view DocumentText();

/// openapi.json as it is, with `"$settings": "asked"` and `"$settings": "shown"` where the settings
/// belong among the properties of a schema: as callers give them, or as answers have them.
std::string_view Template();

}  // namespace mlos::api::http::openapi
