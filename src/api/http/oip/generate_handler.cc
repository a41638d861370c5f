// SPDX-License-Identifier: MIT
#include <memory>
#include <utility>

#include "api/http/call/reply.h"
#include "api/http/oip/handlers.h"
#include "api/http/oip/inference.h"
#include "api/http/oip/messages/generate.h"

namespace mlos::api::http::oip {
namespace {

using call::Call;

/// POST /v2/models/{id}/generate. A single value has no shape of its own to be exact about.
class Generation : public Inference {
 public:
  explicit Generation(std::shared_ptr<Call> call, std::shared_ptr<engine::Credit> credit = nullptr)
      : Inference(std::move(call), runtime::Fit::kFitted, std::move(credit)) {}

 protected:
  Result<engine::InferenceRequest> Read() override {
    asked_ = MLOS_TRY(messages::ReadGenerateRequest(call().body(), schema(), call().memory()));
    call().body() = net::ByteBuffer();
    engine::InferenceRequest request;
    request.inputs = std::move(asked_.inputs);
    read_ = true;
    return request;
  }

  using BodyWriter = tensors::BodyWriter;

  Result<BodyWriter::Body> Answer(engine::InferenceResponse& response, messages::AnswerForm form,
                                  std::size_t whole_bytes_max = BodyWriter::kWholeBytesMax) {
    BodyWriter body(budget(), whole_bytes_max);
    messages::WriteGenerateAnswer(asked_, ticket().model_id(), ticket().model_version(), response,
                                  form, body);
    return std::move(body).Finish(response);
  }
  Result<wire::Reply> ReplyOf(engine::InferenceResponse& response, messages::AnswerForm form) {
    BodyWriter::Body written = MLOS_TRY(Answer(response, form));
    wire::Reply reply;
    reply.body = std::move(written.whole);
    reply.source = std::move(written.source);
    return reply;
  }

  Result<wire::Reply> Encode(engine::InferenceResponse& response) override {
    return Pack(MLOS_TRY(ReplyOf(response, messages::AnswerForm::kDocument)));
  }

  void End(Status status) override {
    const bool one_of_several = read_ && !Streams() && ticket().streams();
    if (one_of_several && !status.ok() && status.reason() == Reason::kUnimplemented) {
      status = Status(Reason::kUnimplemented,
                      "the model gives several answers; ask for them with generate_stream");
    }
    Inference::End(std::move(status));
  }

 private:
  messages::GenerateRequest asked_;
  bool read_ = false;
};

/// POST /v2/models/{id}/generate_stream: an event for each answer, as it comes. They are not
/// compressed: compressed events would reach the caller late.
class EventStream : public Generation {
 public:
  explicit EventStream(std::shared_ptr<Call> call)
      : Generation(std::move(call), std::make_shared<engine::Credit>()) {}

 protected:
  // The one event of a model that answers once is a reply like others.
  bool Streams() const override { return ticket().streams(); }

  Result<wire::Reply> Encode(engine::InferenceResponse& response) override {
    wire::Reply reply = MLOS_TRY(ReplyOf(response, messages::AnswerForm::kEvent));
    reply.content_type = call::kEventStreamType;
    return reply;
  }

  // An event of several is written at once: what waits of them is bounded by the credit.
  Status Write(engine::InferenceResponse& response) override {
    if (!Streams()) return Generation::Write(response);
    BodyWriter::Body event =
        MLOS_TRY(Answer(response, messages::AnswerForm::kEvent, tensors::TensorText::kNoLimit));
    return Body().Write(std::move(event.whole));
  }

  void End(Status status) override {
    if (status.ok() && Streams()) Body();
    Generation::End(std::move(status));
  }

 private:
  wire::BodyStream& Body() {
    if (body_ == nullptr) body_ = call().StartStream(call::kEventStreamType, terms().credit);
    return *body_;
  }

  std::shared_ptr<wire::BodyStream> body_;
};

}  // namespace

void Generate(const std::shared_ptr<Call>& call) { std::make_shared<Generation>(call)->Start(); }

void GenerateStream(const std::shared_ptr<Call>& call) {
  std::make_shared<EventStream>(call)->Start();
}

}  // namespace mlos::api::http::oip
