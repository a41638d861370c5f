// SPDX-License-Identifier: MIT
#include <memory>
#include <utility>

#include "api/http/call/call.h"
#include "api/http/handlers/handlers.h"
#include "api/http/tensors/input_reader.h"
#include "api/http/tensors/tensor_writer.h"
#include "api/http/wire/document_reply.h"

namespace mlos::api::http::handlers {
namespace {

using call::Call;
using call::Place;
using call::Service;
using json::JsonWriter;
using Outputs = std::vector<tensor::NamedTensor>;

// Writing this many elements takes about a millisecond.
constexpr std::int64_t kSmallOutputElements = 32 << 10;

/// An inference between its request and its reply.
struct Inference {
  std::shared_ptr<Call> call;
  std::shared_ptr<catalog::ServedModel> model;
  bool include_outputs = true;
};

Result<bool> FlagOf(const Call& call, std::string_view name, bool otherwise) {
  const std::optional<std::string> value = call.parameter(name);
  if (!value) return otherwise;
  if (*value == "true" || *value == "1") return true;
  if (*value == "false" || *value == "0") return false;
  return Status(Reason::kInvalidField, "the parameter is true or false").WithField(name);
}

Result<std::unique_ptr<engine::SequenceStep>> SequenceOf(const Call& call) {
  const bool start = MLOS_TRY(FlagOf(call, "sequence_start", false));
  const bool end = MLOS_TRY(FlagOf(call, "sequence_end", false));
  return engine::MakeSequenceStep(call.parameter("sequence_id").value_or(""), start, end);
}

std::int64_t ElementCount(const Outputs& outputs) {
  std::int64_t count = 0;
  for (const auto& output : outputs) count += output.tensor.element_count();
  return count;
}

void WriteValues(JsonWriter& writer, const Outputs& outputs) {
  writer.Key("outputs");
  writer.StartObject();
  for (const auto& output : outputs) {
    writer.Key(output.name);
    tensors::AppendTensor(writer.StartRaw(), output.tensor);
  }
  writer.EndObject();
}

void WriteTypes(JsonWriter& writer, const Outputs& outputs) {
  writer.Key("dtypes");
  writer.StartObject();
  for (const auto& output : outputs) writer.Text(output.name, tensor::Name(output.tensor.dtype()));
  writer.EndObject();
  writer.Key("shapes");
  writer.StartObject();
  for (const auto& output : outputs) {
    writer.Key(output.name);
    writer.StartArray();
    for (const std::int64_t size : output.tensor.shape()) writer.Integer(size);
    writer.EndArray();
  }
  writer.EndObject();
}

Result<wire::Reply> Encode(const Inference& inference, const engine::InferenceResponse& response) {
  return wire::DocumentReply(inference.call->service().budget(), [&](JsonWriter& writer) {
    writer.Text("status", "success");
    writer.Text("model_id", inference.call->id());
    writer.Text("model_version", inference.model->version());
    writer.Integer("inference_time_us", response.inference_time_us);
    writer.Integer("queue_time_us", response.queue_time_us);
    writer.Integer("output_size", ElementCount(response.outputs));
    writer.Text("message", "Inference completed successfully");
    if (inference.include_outputs) WriteValues(writer, response.outputs);
    WriteTypes(writer, response.outputs);
  });
}

void Reply(const Inference& inference, Result<engine::InferenceResponse> outcome) {
  if (!outcome.ok()) {
    inference.call->Finish(std::move(outcome).status());
    return;
  }
  const bool long_work = inference.include_outputs && inference.call->on_event_thread() &&
                         ElementCount(outcome->outputs) > kSmallOutputElements;
  if (!long_work) {
    inference.call->Finish(Encode(inference, *outcome));
    return;
  }
  Service& service = inference.call->service();
  service.Post(Place::kWorker, [inference, response = std::move(outcome).value()] {
    inference.call->Finish(Encode(inference, response));
  });
}

Result<engine::InferenceRequest> ReadRequest(const std::shared_ptr<Call>& call,
                                             const catalog::ServedModel& model) {
  engine::InferenceRequest request;
  request.sequence = MLOS_TRY(SequenceOf(*call));
  request.inputs = MLOS_TRY(tensors::ReadInputs(call->body(), model.schema(), call->memory()));
  call->body() = net::ByteBuffer();
  MLOS_TRY(runtime::FitRequest(model, request));
  request.deadline = call->deadline();
  request.cancellation = call->cancellation();
  request.keepalive = call;
  return request;
}

Status Start(const std::shared_ptr<Call>& call) {
  Inference inference{call, nullptr, MLOS_TRY(FlagOf(*call, "include_outputs", true))};
  std::shared_ptr<catalog::ServedModel> model = MLOS_TRY(call->runtime().Acquire(call->id()));
  inference.model = model;
  Result<engine::InferenceRequest> request = ReadRequest(call, *model);
  if (!request.ok()) {
    model->counts()->Record(request.status(), 0, 0);
    return std::move(request).status();
  }
  call->runtime().Infer(
      std::move(model), std::move(request).value(),
      [inference = std::move(inference)](Result<engine::InferenceResponse> outcome) {
        Reply(inference, std::move(outcome));
      });
  return OkStatus();
}

}  // namespace

void Infer(const std::shared_ptr<Call>& call) {
  Status status = Start(call);
  if (!status.ok()) call->Finish(std::move(status));
}

}  // namespace mlos::api::http::handlers
