// SPDX-License-Identifier: MIT
#pragma once

#include "base/result.h"
#include "engine/engine.h"
#include "mlos/smi_spec.h"

namespace mlos::plugin {

/// Copies what a plugin declares of a model, so that it cannot change under us, and bounds it:
/// 4,096 inputs and outputs, names of 1 to 1,024 bytes and each once, ranks up to SMI_RANK_MAX.
/// PLUGIN_FAILED names the tensor and what is wrong with it.
Result<engine::ModelSchema> ReadSchema(const smi_model_info_t& info);

}  // namespace mlos::plugin
