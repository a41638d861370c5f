// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "runtime/runtime.h"

namespace mlos::api::grpc {

/// The model id that the Open Inference Protocol's name and version stand for: the name itself
/// where it has a version ("hf/bert@latest"), otherwise both together.
std::string OipModelId(std::string_view name, std::string_view version);

/// MODEL_NOT_FOUND where `version` is neither empty nor the one of the model or of its id.
Status CheckOipVersion(std::string_view model_id, std::string_view model_version,
                       std::string_view version);

}  // namespace mlos::api::grpc
