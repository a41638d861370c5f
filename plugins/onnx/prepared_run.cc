// SPDX-License-Identifier: MIT
#include "onnx/prepared_run.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <span>

namespace mlos::onnx {
namespace {

// Copying this much takes about a tenth of a microsecond.
constexpr std::size_t kBytesMax = 4096;
constexpr std::size_t kAlignment = 64;

constexpr std::size_t AlignUp(std::size_t size) {
  return (size + kAlignment - 1) / kAlignment * kAlignment;
}

std::span<const smi_tensor_t> Inputs(const smi_request_t& request) {
  return {request.inputs, request.input_count};
}

std::span<smi_tensor_t> Outputs(const smi_response_t& response) {
  return {response.outputs, response.output_count};
}

bool IsCopied(const smi_tensor_t& tensor) {
  return tensor.dtype != SMI_DTYPE_STRING && tensor.size_bytes > 0 &&
         tensor.size_bytes <= kBytesMax;
}

bool SameShape(const std::vector<std::int64_t>& shape, const smi_tensor_t& tensor) {
  return std::equal(shape.begin(), shape.end(), tensor.shape, tensor.shape + tensor.rank);
}

void ReleaseBlock(void* context, void* /*data*/) { std::free(context); }

}  // namespace

bool PreparedRun::IsWorthIt(const smi_request_t& request, const smi_response_t& response) {
  const auto inputs = Inputs(request);
  const auto outputs = Outputs(response);
  return std::all_of(inputs.begin(), inputs.end(), IsCopied) &&
         std::all_of(outputs.begin(), outputs.end(), IsCopied);
}

PreparedRun::PreparedRun(Ort::Session& session, const Ort::MemoryInfo& memory_info,
                         const smi_request_t& request, const smi_response_t& response)
    : binding_(session) {
  for (const smi_tensor_t& input : Inputs(request)) {
    const Slot& slot = inputs_.emplace_back(MakeSlot(input));
    binding_.BindInput(slot.name.c_str(), ValueOf(slot, memory_info));
  }
  for (const smi_tensor_t& output : Outputs(response)) {
    const Slot& slot = outputs_.emplace_back(MakeSlot(output));
    binding_.BindOutput(slot.name.c_str(), ValueOf(slot, memory_info));
  }
}

PreparedRun::Slot PreparedRun::MakeSlot(const smi_tensor_t& tensor) {
  std::size_t space = AlignUp(tensor.size_bytes) + kAlignment;
  void* data = memory_.emplace_back(std::make_unique<std::byte[]>(space)).get();
  std::align(kAlignment, tensor.size_bytes, data, space);
  return {.name = tensor.name,
          .dtype = tensor.dtype,
          .shape = {tensor.shape, tensor.shape + tensor.rank},
          .size_bytes = tensor.size_bytes,
          .data = static_cast<std::byte*>(data)};
}

Ort::Value PreparedRun::ValueOf(const Slot& slot, const Ort::MemoryInfo& memory_info) {
  // Numbered alike: see signature.cc.
  return Ort::Value::CreateTensor(memory_info, slot.data, slot.size_bytes, slot.shape.data(),
                                  slot.shape.size(),
                                  static_cast<ONNXTensorElementDataType>(slot.dtype));
}

bool PreparedRun::Matches(const Slot& slot, const smi_tensor_t& tensor) {
  return slot.dtype == tensor.dtype && slot.size_bytes == tensor.size_bytes &&
         SameShape(slot.shape, tensor) && slot.name == tensor.name;
}

bool PreparedRun::Fits(const smi_request_t& request, const smi_response_t& response) const {
  const auto inputs = Inputs(request);
  const auto outputs = Outputs(response);
  return std::equal(inputs_.begin(), inputs_.end(), inputs.begin(), inputs.end(), Matches) &&
         std::equal(outputs_.begin(), outputs_.end(), outputs.begin(), outputs.end(),
                    [](const Slot& slot, const smi_tensor_t& output) {
                      return output.data == nullptr ? slot.name == output.name
                                                    : Matches(slot, output);
                    });
}

// Not where an output is an input as well: ONNX Runtime then gives the input's value.
bool PreparedRun::WritesInPlace() const {
  const std::vector<Ort::Value> values = binding_.GetOutputValues();
  return std::equal(outputs_.begin(), outputs_.end(), values.begin(), values.end(),
                    [](const Slot& slot, const Ort::Value& value) {
                      return value.GetTensorRawData() == slot.data;
                    });
}

bool PreparedRun::Run(Ort::Session& session, const Ort::RunOptions& options,
                      const smi_request_t& request) {
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    std::memcpy(inputs_[i].data, request.inputs[i].data, inputs_[i].size_bytes);
  }
  session.Run(options, binding_);
  if (!checked_) checked_ = WritesInPlace();
  return checked_;
}

void PreparedRun::HandOver(std::size_t index, smi_tensor_t& output) const {
  const Slot& slot = outputs_[index];
  if (output.data != nullptr) {
    std::memcpy(output.data, slot.data, slot.size_bytes);
    return;
  }
  // The shape and the elements in one block.
  const std::size_t shape_bytes = slot.shape.size() * sizeof(std::int64_t);
  std::size_t space = AlignUp(slot.size_bytes) + kAlignment;
  void* const block = std::malloc(shape_bytes + space);
  if (block == nullptr) throw std::bad_alloc();
  void* data = static_cast<std::byte*>(block) + shape_bytes;
  std::align(kAlignment, slot.size_bytes, data, space);
  std::copy(slot.shape.begin(), slot.shape.end(), static_cast<std::int64_t*>(block));
  std::memcpy(data, slot.data, slot.size_bytes);
  output.dtype = slot.dtype;
  output.rank = static_cast<std::uint32_t>(slot.shape.size());
  output.shape = static_cast<const std::int64_t*>(block);
  output.data = data;
  output.size_bytes = slot.size_bytes;
  output.release = &ReleaseBlock;
  output.release_context = block;
}

}  // namespace mlos::onnx
