// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "base/result.h"
#include "mlos/smi_spec.h"
#include "tensor/tensor.h"

namespace mlos::plugin {

/// The element type as it is in memory: a plugin may put any number there, which an enum may not
/// hold.
tensor::DType RawDType(const smi_dtype_t& dtype);

/// A copy of the name of an input or output: 1 to 1,024 bytes, or PLUGIN_FAILED.
Result<std::string> TensorName(const char* name);

/// `tensor` as an input of a plugin, over the same bytes.
smi_tensor_t AsInput(const char* name, const tensor::Tensor& tensor);

/// `tensor`, which the host has allocated, as an output for a plugin to write to.
smi_tensor_t AsPreallocated(const char* name, const tensor::Tensor& tensor);

/// Takes over what a plugin hands over, without a copy; the plugin's release runs exactly once, now
/// or when the tensor dies. PLUGIN_FAILED where the members contradict each other.
Result<tensor::Tensor> Adopt(const smi_tensor_t& output);

}  // namespace mlos::plugin
