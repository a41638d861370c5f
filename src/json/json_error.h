// SPDX-License-Identifier: MIT
#pragma once

#include <simdjson.h>

#include <string>
#include <string_view>

#include "base/status.h"

namespace mlos::json {

/// Objects and arrays may be nested this deep.
inline constexpr std::size_t kDepthMax = 64;

/// What simdjson's `error` is to a caller: MALFORMED_JSON, NESTING_TOO_DEEP, OUT_OF_MEMORY, or
/// PAYLOAD_TOO_LARGE above the 4 GiB simdjson can index.
Status JsonError(simdjson::error_code error);

/// `text` as it may stand in a message: quoted, and cut where it is long.
std::string Quote(std::string_view text);

}  // namespace mlos::json
