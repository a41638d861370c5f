// SPDX-License-Identifier: MIT
#pragma once

#include "base/result.h"
#include "mlos/v1/model.pb.h"
#include "settings/model_settings.h"

// The settings as the messages of mlos.v1 have them: each in `settings_json`, whatever there may
// be, and those of before it in fields of their own, too. A new setting needs no field.
namespace mlos::api::grpc {

/// A number that is 0, in a field that cannot tell whether it was given, is not set. INVALID_FIELD
/// where a setting is given both ways or settings_json is not an object of settings.
Result<settings::ModelSettings> SettingsOf(const v1::RegisterModelRequest& message);

void Convert(const settings::ModelSettings& settings, v1::Model& message);

}  // namespace mlos::api::grpc
