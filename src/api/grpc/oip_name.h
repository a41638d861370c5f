// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "runtime/runtime.h"

namespace mlos::api::grpc {

/// The id of the model that the Open Inference Protocol's name and version stand for, by the rules
/// of Runtime::ResolveModel, as over HTTP. MODEL_NOT_FOUND, which names the version where only that
/// is not there; INVALID_MODEL_ID.
Result<std::string> OipModelId(const runtime::Runtime& runtime, std::string_view name,
                               std::string_view version = {});

}  // namespace mlos::api::grpc
