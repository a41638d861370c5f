// SPDX-License-Identifier: MIT
#include "api/ipc/tensors.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

namespace mlos::api::ipc {
namespace {

using tensor::DType;
using tensor::Tensor;
using wire::TensorEntry;

Result<tensor::Buffer> Copy(Request& request, const char* data, std::uint64_t size_bytes) {
  MLOS_TRY(request.Reserve(size_bytes));
  tensor::Buffer buffer = MLOS_TRY(tensor::Buffer::Allocate(size_bytes));
  if (size_bytes != 0) std::memcpy(buffer.data(), data, size_bytes);
  return buffer;
}

Result<Tensor> MakeStrings(Request& request, const InputPlace& place, TensorEntry& input) {
  // Twice: once as they came, where they could change meanwhile, and once as a tensor.
  const auto elements = static_cast<std::uint64_t>(MLOS_TRY(tensor::ElementCount(input.shape)));
  const std::uint64_t refs = std::min(elements, input.size_bytes / sizeof(std::uint32_t) + 1);
  MLOS_TRY(request.Reserve(input.size_bytes + refs * sizeof(tensor::StringRef)));
  if (place.region == nullptr) {
    return wire::DecodeStrings({place.data, input.size_bytes}, std::move(input.shape), input.name);
  }
  const tensor::Buffer copy = MLOS_TRY(Copy(request, place.data, input.size_bytes));
  return wire::DecodeStrings({static_cast<char*>(copy.data()), input.size_bytes},
                             std::move(input.shape), input.name);
}

Status CheckBools(const Tensor& tensor) {
  const auto values = tensor.elements<std::uint8_t>();
  if (std::all_of(values.begin(), values.end(), [](std::uint8_t value) { return value <= 1; })) {
    return OkStatus();
  }
  return {Reason::kValueOutOfRange, "a bool is one byte, 0 or 1"};
}

Result<Tensor> MakeTensor(Request& request, TensorEntry& input, const InputPlace& place,
                          bool in_place) {
  if (input.dtype == DType::kString) return MakeStrings(request, place, input);
  tensor::Buffer buffer = in_place && input.size_bytes != 0
                              ? tensor::Buffer::Borrow(place.data, input.size_bytes)
                              : MLOS_TRY(Copy(request, place.data, input.size_bytes));
  Tensor tensor =
      MLOS_TRY(Tensor::FromBuffer(input.dtype, std::move(input.shape), std::move(buffer)));
  if (input.dtype == DType::kBool) MLOS_TRY(CheckBools(tensor));
  return tensor;
}

std::uint64_t EncodedBytes(const Tensor& tensor) {
  return tensor.dtype() == DType::kString ? wire::EncodedStringsBytes(tensor) : tensor.size_bytes();
}

void Encode(const Tensor& tensor, std::uint64_t size_bytes, char* out) {
  if (tensor.dtype() == DType::kString) {
    wire::EncodeStrings(tensor, out);
  } else if (size_bytes != 0) {
    std::memcpy(out, tensor.data(), size_bytes);
  }
}

/// Writes an output to its place.
Status WriteToRegion(const Tensor& tensor, const OutputPlace& place, TensorEntry& entry) {
  if (entry.size_bytes > place.entry.size_bytes) {
    return Status(Reason::kPayloadTooLarge, "the output takes " + std::to_string(entry.size_bytes) +
                                                " bytes, and its place has " +
                                                std::to_string(place.entry.size_bytes))
        .WithField(entry.name);
  }
  entry.region_id = place.entry.region_id;
  entry.offset = place.entry.offset;
  char* out = MLOS_TRY(place.region->At(entry.offset, entry.size_bytes, entry.name));
  Encode(tensor, entry.size_bytes, out);
  return OkStatus();
}

Status WriteInline(const std::vector<tensor::NamedTensor>& outputs,
                   const std::vector<TensorEntry>& entries, wire::ByteBuffer& frame) {
  wire::FieldWriter writer(frame);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const TensorEntry& entry = entries[i];
    if (entry.region_id != wire::kInline || entry.size_bytes == 0) continue;
    writer.Zeros(entry.offset + wire::kHeaderBytes - frame.size());
    char* out = frame.Prepare(entry.size_bytes);
    if (out == nullptr) return frame.status();
    Encode(outputs[i].tensor, entry.size_bytes, out);
    frame.Commit(entry.size_bytes);
  }
  return OkStatus();
}

/// Gives the outputs that go into the answer their offsets in its body; returns its size.
std::uint64_t PlaceInline(wire::ResultMessage& message) {
  std::uint64_t end = wire::ResultHeadBytes(message);
  for (TensorEntry& entry : message.outputs) {
    if (entry.region_id != wire::kInline || entry.size_bytes == 0) continue;
    entry.offset = wire::AlignUp(end, wire::kTensorAlignment);
    end = entry.offset + entry.size_bytes;
  }
  return end;
}

}  // namespace

Result<std::vector<InputPlace>> FindInputs(Request& request,
                                           const std::vector<TensorEntry>& inputs) {
  std::vector<InputPlace> places;
  places.reserve(inputs.size());
  for (const TensorEntry& input : inputs) {
    InputPlace place;
    if (input.region_id == wire::kInline) {
      place.data = request.body_data() + input.offset;
    } else {
      place.region =
          MLOS_TRY(request.session().FindRegion(input.region_id, wire::Access::kRead, input.name));
      place.data = MLOS_TRY(place.region->At(input.offset, input.size_bytes, input.name));
      place.constant = place.region->constant();
      const bool copied = !place.constant || input.dtype == DType::kString;
      place.copy_bytes = copied ? input.size_bytes : 0;
    }
    places.push_back(std::move(place));
  }
  return places;
}

std::uint64_t BytesToCopy(const std::vector<InputPlace>& inputs) {
  std::uint64_t bytes = 0;
  for (const InputPlace& input : inputs) bytes += input.copy_bytes;
  return bytes;
}

Status MakeInputs(Request& request, const runtime::Ticket& ticket, std::vector<TensorEntry>& inputs,
                  const std::vector<InputPlace>& places, engine::InferenceRequest& made) {
  made.inputs.reserve(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const bool changing =
        !places[i].constant && tensor::IsFloat(inputs[i].dtype) && ticket.MayChange(inputs[i].name);
    made.may_change = made.may_change || changing;
    Result<Tensor> tensor =
        MakeTensor(request, inputs[i], places[i], places[i].constant || changing);
    if (!tensor.ok()) return std::move(tensor).status().WithField(inputs[i].name);
    made.inputs.push_back({std::string(inputs[i].name), std::move(tensor).value()});
  }
  return OkStatus();
}

Result<std::vector<OutputPlace>> FindOutputs(const Session& session,
                                             const std::vector<TensorEntry>& wanted) {
  std::vector<OutputPlace> places;
  places.reserve(wanted.size());
  for (const TensorEntry& entry : wanted) {
    OutputPlace place{nullptr, entry};
    if (entry.region_id != wire::kInline) {
      place.region =
          MLOS_TRY(session.FindRegion(entry.region_id, wire::Access::kWrite, entry.name));
      MLOS_TRY(place.region->At(entry.offset, entry.size_bytes, entry.name));
    }
    places.push_back(std::move(place));
  }
  return places;
}

Result<wire::ByteBuffer> MakeResult(Request& request, std::string_view model_version,
                                    const engine::InferenceResponse& response,
                                    const std::vector<OutputPlace>& places) {
  wire::ResultMessage message;
  message.model_version = model_version;
  message.queue_time_us = response.queue_time_us;
  message.inference_time_us = response.inference_time_us;
  message.outputs.reserve(response.outputs.size());
  for (std::size_t i = 0; i < response.outputs.size(); ++i) {
    const auto& [name, tensor] = response.outputs[i];
    TensorEntry entry{.name = name, .dtype = tensor.dtype(), .shape = tensor.shape()};
    entry.size_bytes = EncodedBytes(tensor);
    if (i < places.size() && places[i].region != nullptr) {
      MLOS_TRY(WriteToRegion(tensor, places[i], entry));
    }
    message.outputs.push_back(std::move(entry));
  }
  const std::uint64_t body_bytes = PlaceInline(message);
  if (body_bytes + wire::kHeaderBytes > wire::kFrameBytesMax) {
    return Status(Reason::kPayloadTooLarge,
                  "the outputs take " + std::to_string(body_bytes) +
                      " bytes, more than a frame may have; name output regions for them");
  }
  wire::ByteBuffer frame = request.NewFrame();
  frame.Expect(body_bytes + wire::kHeaderBytes);
  wire::EncodeResult(frame, request.id(), message);
  MLOS_TRY(WriteInline(response.outputs, message.outputs, frame));
  return frame;
}

}  // namespace mlos::api::ipc
