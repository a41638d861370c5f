// SPDX-License-Identifier: MIT
#pragma once

#include "mlos/v1/model.pb.h"
#include "settings/model_settings.h"

// The settings that the messages of mlos.v1 have a field for.
namespace mlos::api::grpc {

/// A number that is 0, in a field that cannot tell whether it was given, is not set.
settings::ModelSettings SettingsOf(const v1::RegisterModelRequest& message);

void Convert(const settings::ModelSettings& settings, v1::Model& message);

}  // namespace mlos::api::grpc
