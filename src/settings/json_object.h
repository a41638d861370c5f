// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "base/status.h"

namespace mlos::settings {

/// INVALID_FIELD with `name` as field where `text` is not a JSON object of at most 64 KiB, nested
/// at most 16 levels deep, in which no object has a member twice.
Status CheckObject(std::string_view name, std::string_view text);

}  // namespace mlos::settings
