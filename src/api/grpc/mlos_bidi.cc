// SPDX-License-Identifier: MIT
#include <map>
#include <string>
#include <utility>

#include "api/grpc/call/metadata.h"
#include "api/grpc/messages/codec.h"
#include "api/grpc/methods.h"
#include "api/grpc/mlos_inference.h"
#include "api/grpc/tensors/mlos_reader.h"
#include "api/grpc/tensors/mlos_writer.h"

namespace mlos::api::grpc {
namespace {

// Requests of one call that run at once; more wait, and their caller with them.
constexpr std::size_t kRunningMax = 32;
constexpr std::size_t kIdBytesMax = 256;

v1::InferBidiResponse Failure(const std::string& id, const Status& status) {
  v1::InferBidiResponse response;
  response.set_id(id);
  response.set_code(call::GrpcCode(status));
  response.set_reason(std::string(ToString(status.reason())));
  response.set_field(std::string(status.field()));
  response.set_message(std::string(status.message()));
  response.set_final(true);
  return response;
}

/// InferBidi: requests run beside each other and are answered as they are done.
class InferBidi : public call::CallHandler {
 public:
  explicit InferBidi(call::Call& call) : call_(call) {}

  void OnMessage(call::Message message) override {
    const auto parsing = std::make_shared<Parsing>(std::move(message));
    // Large ones are read elsewhere, and nothing after them until then: a cancellation must not
    // overtake what it cancels.
    parsing_ = true;
    call_.Pause();
    call_.Run(parsing->message, [this, call = call_.shared_from_this(), parsing] {
      parsing->Parse(*call);
      if (call->RunsHere()) return Parsed(*parsing);
      call->Post([this, call, parsing] { Parsed(*parsing); });
    });
  }
  void OnHalfClose() override {
    half_closed_ = true;
    FinishWhenDone();
  }
  void OnDrained() override { ResumeWhereFree(); }
  void OnCancel() override {
    for (const auto& [id, cancellation] : running_) cancellation->Cancel();
  }

 private:
  /// A message on its way to be handled.
  struct Parsing {
    explicit Parsing(call::Message came) : message(std::move(came)) {}
    void Parse(call::Call& call) {
      status = messages::Parse(call, message, tensors::kInferBidiRequestCost, request, held);
      message = call::Message();
    }

    call::Message message;
    // Before what it counts.
    resource::Reservation held;
    v1::InferBidiRequest request;
    Status status;
  };

  /// One of the requests. Its call holds the method.
  class One : public MlosInference {
   public:
    One(InferBidi& method, std::shared_ptr<call::Call> call, std::string id,
        door::Inference::Terms terms)
        : MlosInference(std::move(call), std::move(terms)), method_(method), id_(std::move(id)) {}

   protected:
    Status Write(engine::InferenceResponse& response) override {
      v1::InferBidiResponse envelope;
      envelope.set_id(id_);
      call()->Send(
          MLOS_TRY(MessageOf(tensors::MlosResponse(Head(), response, envelope), response)));
      return OkStatus();
    }
    void End(Status status) override {
      if (call()->RunsHere()) return method_.Answered(id_, status);
      call()->Post([&method = method_, call = call(), id = id_, status = std::move(status)] {
        method.Answered(id, status);
      });
    }

   private:
    InferBidi& method_;
    const std::string id_;
  };

  void Parsed(Parsing& parsing) {
    parsing_ = false;
    if (!call_.finished()) Handle(parsing);
    ResumeWhereFree();
  }

  void Handle(Parsing& parsing) {
    if (!parsing.status.ok()) return call_.Finish(parsing.status);
    const std::string id = parsing.request.id();
    const Status valid = Check(parsing.request);
    if (!valid.ok()) {
      call_.Send(messages::Encode(call_, Failure(id, valid)));
    } else if (parsing.request.has_cancel()) {
      running_.at(id)->Cancel();
    } else {
      Run(id, parsing);
    }
  }

  Status Check(const v1::InferBidiRequest& request) const {
    if (request.id().empty() || request.id().size() > kIdBytesMax) {
      return Status(Reason::kInvalidField, "a request has an id of 1 to 256 bytes").WithField("id");
    }
    if (request.has_cancel()) {
      if (running_.contains(request.id())) return OkStatus();
      return Status(Reason::kInvalidField, "no request of this id is running").WithField("id");
    }
    if (!request.has_infer()) {
      return Status(Reason::kMissingField, "the message neither infers nor cancels")
          .WithField("action");
    }
    if (!running_.contains(request.id())) return OkStatus();
    return Status(Reason::kInvalidField, "a request of this id is running").WithField("id");
  }

  void Run(const std::string& id, Parsing& parsing) {
    const auto cancellation = std::make_shared<engine::Cancellation>();
    running_.emplace(id, cancellation);
    door::Inference::Terms terms = TermsOfNext(call_);
    terms.cancellation = cancellation;
    const auto one = std::make_shared<One>(*this, call_.shared_from_this(), id, std::move(terms));
    one->Take(*parsing.request.mutable_infer(), std::move(parsing.held));
    one->Start();
  }

  void Answered(const std::string& id, const Status& status) {
    running_.erase(id);
    v1::InferBidiResponse last;
    if (status.ok()) {
      last.set_id(id);
      last.set_final(true);
    } else {
      last = Failure(id, status);
    }
    call_.Send(messages::Encode(call_, last));
    ResumeWhereFree();
    FinishWhenDone();
  }

  bool full() const {
    return parsing_ || running_.size() >= kRunningMax || call_.waiting_bytes() != 0;
  }
  void ResumeWhereFree() {
    if (!full()) call_.Resume();
  }
  void FinishWhenDone() {
    if (half_closed_ && running_.empty()) call_.Finish(OkStatus());
  }

  call::Call& call_;
  std::map<std::string, std::shared_ptr<engine::Cancellation>, std::less<>> running_;
  bool parsing_ = false;
  bool half_closed_ = false;
};

}  // namespace

std::vector<call::Method> InferenceBidiMethods() {
  return {{.path = "/mlos.v1.InferenceService/InferBidi",
           .operation = door::Operation::kInfer,
           .client_streaming = true,
           .carries_tensors = true,
           .open = [](call::Call& call) -> std::unique_ptr<call::CallHandler> {
             return std::make_unique<InferBidi>(call);
           }}};
}

}  // namespace mlos::api::grpc
