// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "package/onnx/model.h"

namespace mlos::package::onnx {

/// The ModelProto of `file`, whose Model is `model`, with references to the bytes of its weights in
/// place of the bytes: as if the file, of this `name`, lay beside the graph as its external data.
/// An engine that maps external data then reads a model of any size without copying it.
std::string WithoutWeights(const Model& model, std::string_view file, std::string_view name);

}  // namespace mlos::package::onnx
