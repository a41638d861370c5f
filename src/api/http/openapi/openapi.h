// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace mlos::api::http::openapi {

/// The description of the HTTP door, OpenAPI 3.1 in JSON: openapi.json of this folder. A test
/// compares it with the table of routes.
std::string_view DocumentText();

}  // namespace mlos::api::http::openapi
