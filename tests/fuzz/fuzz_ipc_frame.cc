// SPDX-License-Identifier: MIT
// No body makes a decoder of the IPC protocol read beyond it; what an inference decodes to is
// within its bounds, and is the same after it has been encoded again.
#include <cstdint>
#include <string>
#include <string_view>

#include "api/ipc/wire/frame.h"
#include "api/ipc/wire/inference.h"
#include "base/check.h"

namespace {

namespace wire = mlos::api::ipc::wire;

void CheckEntry(const wire::TensorEntry& entry, std::uint64_t body_bytes) {
  MLOS_CHECK(entry.offset % wire::kTensorAlignment == 0, "tensors are aligned");
  MLOS_CHECK(entry.shape.size() <= mlos::tensor::kRankMax, "ranks are bounded");
  if (entry.region_id != wire::kInline) return;
  MLOS_CHECK(entry.offset <= body_bytes && entry.size_bytes <= body_bytes - entry.offset,
             "inline tensors lie within the frame");
}

void CheckSame(const wire::TensorEntry& a, const wire::TensorEntry& b) {
  MLOS_CHECK(a.name == b.name && a.dtype == b.dtype && a.shape == b.shape &&
                 a.region_id == b.region_id && a.offset == b.offset && a.size_bytes == b.size_bytes,
             "an entry is read as it was written");
}

void FuzzInfer(std::string_view body) {
  const auto message = wire::DecodeInfer(body);
  if (!message.ok()) return;
  for (const auto& input : message->inputs) {
    CheckEntry(input, body.size());
    if (input.dtype != mlos::tensor::DType::kString || input.region_id != wire::kInline) continue;
    (void)wire::DecodeStrings(body.substr(input.offset, input.size_bytes), input.shape, input.name);
  }
  wire::ByteBuffer frame;
  wire::EncodeInfer(frame, 1, *message);
  // The bytes of inline tensors are the caller's to place; where they do not matter they are zeros.
  std::string again(frame.view().substr(wire::kHeaderBytes));
  if (again.size() < body.size()) again.resize(body.size());
  const auto second = wire::DecodeInfer(again);
  MLOS_CHECK(second.ok() && second->inputs.size() == message->inputs.size() &&
                 second->outputs.size() == message->outputs.size() &&
                 second->model_id == message->model_id && second->fit == message->fit &&
                 second->sequence_id == message->sequence_id &&
                 second->sequence_start == message->sequence_start,
             "an inference is read as it was written");
  for (std::size_t i = 0; i < message->inputs.size(); ++i) {
    CheckSame(message->inputs[i], second->inputs[i]);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view frame(reinterpret_cast<const char*>(data), size);
  if (frame.size() < wire::kHeaderBytes) return 0;
  const auto header = wire::DecodeHeader(frame.substr(0, wire::kHeaderBytes));
  if (header.ok()) {
    MLOS_CHECK(header->frame_bytes >= wire::kHeaderBytes, "frames have a header");
    MLOS_CHECK(header->frame_bytes <= wire::kFrameBytesMax, "frames are bounded");
  }
  // Whatever its type: each decoder sees every body.
  const std::string_view body = frame.substr(wire::kHeaderBytes);
  FuzzInfer(body);
  (void)wire::DecodeResult(body);
  (void)wire::DecodeError(body);
  (void)wire::DecodeHello(body);
  (void)wire::DecodeHelloOk(body);
  (void)wire::DecodeMapRegion(body);
  (void)wire::DecodeUnmapRegion(body);
  (void)wire::DecodeRegionReply(body);
  (void)wire::DecodeRingForm(body);
  return 0;
}
