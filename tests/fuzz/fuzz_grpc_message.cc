// SPDX-License-Identifier: MIT
// A gRPC message of an inference, in both services' forms. Any bytes are refused, or become tensors
// over the message that are answered in a response of exactly the size that was told, whose tensors
// read back are the same; the budget is whole afterwards.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/grpc/messages/cost.h"
#include "api/grpc/tensors/elements.h"
#include "api/grpc/tensors/mlos_reader.h"
#include "api/grpc/tensors/mlos_writer.h"
#include "api/grpc/tensors/oip_reader.h"
#include "api/grpc/tensors/oip_writer.h"
#include "base/check.h"
#include "tensor/raw_bytes.h"

namespace {

namespace messages = mlos::api::grpc::messages;
namespace tensors = mlos::api::grpc::tensors;
namespace v1 = mlos::v1;
using mlos::tensor::NamedTensor;

constexpr std::uint64_t kBudgetBytes = 16 << 20;
const mlos::engine::ModelSchema kUndeclared{{}, {}, false};

std::string Raw(const NamedTensor& tensor) {
  mlos::net::ByteBuffer out;
  mlos::tensor::AppendRaw(out, tensor.tensor);
  MLOS_CHECK(out.size() == mlos::tensor::RawBytes::Size(tensor.tensor),
             "the size told is the size written");
  return std::string(out.view());
}

void CheckSame(const std::vector<NamedTensor>& read, const std::vector<NamedTensor>& wanted) {
  MLOS_CHECK(read.size() == wanted.size(), "no tensor is lost");
  for (std::size_t i = 0; i < read.size(); ++i) {
    MLOS_CHECK(
        read[i].name == wanted[i].name && read[i].tensor.dtype() == wanted[i].tensor.dtype() &&
            read[i].tensor.shape() == wanted[i].tensor.shape() && Raw(read[i]) == Raw(wanted[i]),
        "what is read again is the same");
  }
}

/// Parses what a message would be parsed as, if it may take that much memory.
template <typename Message>
bool Parse(std::string_view bytes, const messages::Cost& cost, Message& parsed) {
  return messages::MemoryCost(bytes, cost) <= kBudgetBytes &&
         parsed.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

/// Writes `response` and parses it, in the form `Message`.
template <typename Message>
Message Answered(tensors::MessageBytes response) {
  mlos::net::ByteBuffer out;
  const std::size_t size = response.size();
  std::move(response).AppendTo(out);
  MLOS_CHECK(out.size() == size, "a response is as long as it says");
  Message message;
  MLOS_CHECK(message.ParseFromArray(out.data(), static_cast<int>(out.size())),
             "a response can be parsed");
  return message;
}

mlos::engine::InferenceResponse Echo(std::vector<NamedTensor> inputs) {
  mlos::engine::InferenceResponse response;
  response.outputs = std::move(inputs);
  return response;
}

void FuzzOip(std::string_view bytes, mlos::resource::ByteBudget& budget) {
  inference::ModelInferRequest request;
  if (!Parse(bytes, tensors::kOipRequestCost, request)) return;
  (void)tensors::CheckOipParameters(request);
  (void)tensors::ReadOipOutputs(request);
  tensors::TensorMemory memory(budget);
  auto read = tensors::ReadOipInputs(request, memory);
  if (!read.ok()) return;
  const auto response = Echo(std::move(read).value());
  inference::ModelInferResponse head;
  head.set_id(request.id());
  auto answer = Answered<inference::ModelInferResponse>(tensors::OipResponse(head, response));
  MLOS_CHECK(answer.id() == request.id(), "a response has its head");
  inference::ModelInferRequest again;
  for (const auto& output : answer.outputs()) {
    auto& input = *again.add_inputs();
    input.set_name(output.name());
    input.set_datatype(output.datatype());
    *input.mutable_shape() = output.shape();
  }
  *again.mutable_raw_input_contents() = std::move(*answer.mutable_raw_output_contents());
  const auto second = tensors::ReadOipInputs(again, memory);
  // Copies and tables of strings may go beyond the budget the second time.
  if (second.ok()) CheckSame(*second, response.outputs);
}

void FuzzMlos(std::string_view bytes, mlos::resource::ByteBudget& budget) {
  v1::InferRequest request;
  if (!Parse(bytes, tensors::kInferRequestCost, request)) return;
  tensors::TensorMemory memory(budget);
  auto read = tensors::ReadInputs(request, kUndeclared, memory);
  if (!read.ok()) return;
  const auto response = Echo(std::move(read).value());
  auto answer = Answered<v1::InferResponse>(tensors::MlosResponse({}, response));
  v1::InferRequest again;
  *again.mutable_inputs() = std::move(*answer.mutable_outputs());
  const auto second = tensors::ReadInputs(again, kUndeclared, memory);
  if (second.ok()) CheckSame(*second, response.outputs);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  mlos::resource::ByteBudget budget(kBudgetBytes);
  // Whatever it was meant to be: both forms see every message.
  FuzzOip(bytes, budget);
  FuzzMlos(bytes, budget);
  v1::InferBidiRequest bidi;
  if (Parse(bytes, tensors::kInferBidiRequestCost, bidi) && bidi.has_infer()) {
    FuzzMlos(bidi.infer().SerializeAsString(), budget);
  }
  MLOS_CHECK(budget.used() == 0, "the budget is whole");
  return 0;
}
