// SPDX-License-Identifier: MIT
// A body of the Open Inference Protocol: JSON up to the first line feed, binary tensors behind it.
// Any bytes are refused, or become tensors that come back the same through the binary format, and
// a reply that is written of them; the budget is whole afterwards.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "api/http/oip/messages/binary_tensor.h"
#include "api/http/oip/messages/infer_reply.h"
#include "api/http/oip/messages/infer_request.h"
#include "api/http/wire/message.h"
#include "base/check.h"
#include "tensor/raw_bytes.h"

namespace {

namespace net = mlos::net;
namespace oip = mlos::api::http::oip::messages;
namespace tensors = mlos::api::http::tensors;
using mlos::tensor::Tensor;

constexpr std::uint64_t kBudgetBytes = 16 << 20;

mlos::net::ByteBuffer Packed(const Tensor& tensor) {
  mlos::net::ByteBuffer out;
  mlos::tensor::AppendRaw(out, tensor);
  MLOS_CHECK(out.size() == mlos::tensor::RawBytes::Size(tensor),
             "the size told is the size written");
  return out;
}

void CheckComesBack(const Tensor& tensor, tensors::RequestMemory& memory) {
  const mlos::net::ByteBuffer packed = Packed(tensor);
  const auto again = oip::ReadBinaryTensor(tensor.dtype(), tensor.shape(), packed.view(), memory);
  MLOS_CHECK(again.ok(), again.status().ToString());
  MLOS_CHECK(Packed(*again).view() == packed.view(), "what is read again is the same");
}

void CheckReply(oip::InferRequest request, mlos::resource::ByteBudget& budget) {
  mlos::engine::InferenceResponse response;
  response.outputs = std::move(request.inputs);
  std::size_t binary = 0;
  for (const auto& output : response.outputs) {
    if (request.IsBinary(output.name)) binary += mlos::tensor::RawBytes::Size(output.tensor);
  }
  const auto reply = oip::WriteInferReply(request, "m", "1", response, budget);
  if (!reply.ok() || !reply->inference_header_length) return;
  const std::size_t size = reply->source == nullptr ? reply->body.size() : *reply->source->length();
  MLOS_CHECK(size == *reply->inference_header_length + binary, "nothing is lost");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t json_bytes = std::min(text.find('\n'), size);
  mlos::net::ByteBuffer body;
  body.Append(text.substr(0, json_bytes));
  body.Append(text.substr(std::min(json_bytes + 1, size)));
  if (!body.Pad(net::kBodyPaddingBytes)) return 0;
  mlos::resource::ByteBudget budget(kBudgetBytes);
  {
    tensors::RequestMemory memory(budget);
    auto read = oip::ReadInferRequest(body, json_bytes, memory);
    if (read.ok()) {
      tensors::RequestMemory more_memory(budget);
      for (const auto& input : read->inputs) CheckComesBack(input.tensor, more_memory);
      CheckReply(std::move(read).value(), budget);
    }
  }
  MLOS_CHECK(budget.used() == 0, "the budget is whole");
  return 0;
}
