// SPDX-License-Identifier: MIT
#include <memory>
#include <utility>

#include "api/http/call/inference.h"
#include "api/http/own/handlers.h"
#include "api/http/tensors/input_reader.h"
#include "api/http/tensors/tensor_body.h"

namespace mlos::api::http::own {
namespace {

using call::Call;
using json::JsonWriter;
using Outputs = std::vector<tensor::NamedTensor>;

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

void WriteValues(tensors::BodyWriter& body, const Outputs& outputs) {
  JsonWriter& writer = body.json();
  writer.Key("outputs");
  writer.StartObject();
  for (const auto& output : outputs) {
    writer.Key(output.name);
    body.Value(output.tensor, tensors::Form::kNested);
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

/// POST /models/{id}/inference.
class OwnInference : public call::Inference {
 public:
  explicit OwnInference(std::shared_ptr<Call> call)
      : call::Inference(std::move(call), runtime::Fit::kFitted) {}

 protected:
  Result<engine::InferenceRequest> Read() override {
    include_outputs_ = MLOS_TRY(FlagOf(call(), "include_outputs", true));
    engine::InferenceRequest request;
    request.sequence = MLOS_TRY(SequenceOf(call()));
    request.inputs = MLOS_TRY(tensors::ReadInputs(call().body(), schema(), call().memory()));
    call().body() = net::ByteBuffer();
    return request;
  }

  Result<wire::Reply> Encode(engine::InferenceResponse& response) override {
    tensors::BodyWriter body(budget());
    JsonWriter& writer = body.json();
    writer.StartObject();
    writer.Text("status", "success");
    writer.Text("model_id", call().id());
    writer.Text("model_version", ticket().model_version());
    writer.Integer("inference_time_us", response.inference_time_us);
    writer.Integer("queue_time_us", response.queue_time_us);
    writer.Integer("output_size", ElementCount(response.outputs));
    writer.Text("message", "Inference completed successfully");
    if (include_outputs_) WriteValues(body, response.outputs);
    WriteTypes(writer, response.outputs);
    writer.EndObject();
    auto written = MLOS_TRY(std::move(body).Finish(response));
    wire::Reply reply;
    reply.body = std::move(written.whole);
    reply.source = std::move(written.source);
    return reply;
  }

 private:
  bool include_outputs_ = true;
};

}  // namespace

void Infer(const std::shared_ptr<Call>& call) {
  std::make_shared<OwnInference>(call)->Start(call->id());
}

}  // namespace mlos::api::http::own
