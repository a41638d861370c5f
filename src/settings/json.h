// SPDX-License-Identifier: MIT
#pragma once

#include <simdjson.h>

#include <string>
#include <string_view>

#include "base/result.h"
#include "settings/model_settings.h"

namespace mlos::settings {

/// The members of `object` that are settings; no other is looked at, and null is not set. A number
/// may be written as 2.0. INVALID_FIELD, with the member as field, for one of another type or
/// beyond 64 bits; what Check refuses is for it to say.
Result<ModelSettings> ReadSettings(const simdjson::dom::object& object);

/// The same from the text of an object. MALFORMED_JSON for other text.
Result<ModelSettings> ParseSettings(std::string_view text);

/// The settings that are set, as the text of an object that ParseSettings reads.
std::string ToJson(const ModelSettings& settings);

}  // namespace mlos::settings
