// SPDX-License-Identifier: MIT
#include <map>
#include <string>
#include <utility>

#include "api/grpc/call/metadata.h"
#include "api/grpc/messages/codec.h"
#include "api/grpc/methods.h"
#include "api/grpc/mlos_inference.h"
#include "api/grpc/stream_responses.h"
#include "api/grpc/tensors/mlos_reader.h"
#include "api/grpc/tensors/mlos_writer.h"

namespace mlos::api::grpc {
namespace {

using CallPtr = std::shared_ptr<call::Call>;

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
    const auto parsing = std::make_shared<Parsing>(call_, std::move(message));
    if (!messages::IsLarge(parsing->message)) {
      parsing->Parse(call_);
      return Handle(*parsing);
    }
    // Read elsewhere, and nothing after it until then: a cancellation must not overtake what it
    // cancels.
    parsing_ = true;
    call_.Pause();
    call_.service().Post(call::Place::kWorker, [this, call = call_.shared_from_this(), parsing] {
      parsing->Parse(*call);
      call->Post([this, call, parsing] {
        parsing_ = false;
        if (!call->finished()) Handle(*parsing);
        ResumeWhereFree();
      });
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
  /// A message and what becomes of it.
  struct Parsing {
    Parsing(call::Call& call, call::Message came)
        : work(std::make_shared<MlosInference>(call.service().budget())),
          message(std::move(came)) {}
    void Parse(call::Call& call) {
      status = messages::Parse(call.service(), message, tensors::kInferBidiRequestCost, request,
                               work->held);
      message = call::Message();
    }

    std::shared_ptr<MlosInference> work;
    call::Message message;
    v1::InferBidiRequest request;
    Status status;
  };

  void Handle(Parsing& parsing) {
    if (!parsing.status.ok()) return call_.Finish(parsing.status);
    const std::string id = parsing.request.id();
    const Status valid = Check(parsing.request);
    if (!valid.ok()) {
      SendInStream(call_, messages::Encode(call_, Failure(id, valid)));
    } else if (parsing.request.has_cancel()) {
      running_.at(id)->Cancel();
    } else {
      parsing.work->request.Swap(parsing.request.mutable_infer());
      Run(id, parsing.work);
    }
    PauseWhereFull();
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

  void Run(const std::string& id, const std::shared_ptr<MlosInference>& work) {
    const auto cancellation = std::make_shared<engine::Cancellation>();
    running_.emplace(id, cancellation);
    const CallPtr call = call_.shared_from_this();
    Result<engine::InferenceRequest> request = PrepareMlos(*call, work, RequestDeadline(*call));
    if (!request.ok()) return End(call, id, request.status());
    request->cancellation = cancellation;
    call->runtime().Stream(
        work->model, std::move(request).value(),
        runtime::SinkOf(
            [call, work, id](engine::InferenceResponse response) {
              v1::InferBidiResponse envelope;
              envelope.set_id(id);
              net::ByteBuffer message = call->NewMessage();
              tensors::MlosResponse(MlosHead(*work), response).AppendTo(message, envelope);
              SendInStream(*call, std::move(message));
            },
            [this, call, id](const Status& status) { End(call, id, status); }));
  }

  void End(const CallPtr& call, const std::string& id, const Status& status) {
    if (call->RunsHere()) return EndHere(id, status);
    call->Post([this, call, id, status] { EndHere(id, status); });
  }

  void EndHere(const std::string& id, const Status& status) {
    running_.erase(id);
    v1::InferBidiResponse last;
    if (status.ok()) {
      last.set_id(id);
      last.set_final(true);
    } else {
      last = Failure(id, status);
    }
    SendInStream(call_, messages::Encode(call_, last));
    ResumeWhereFree();
    FinishWhenDone();
  }

  bool full() const {
    return parsing_ || running_.size() >= kRunningMax || call_.waiting_bytes() != 0;
  }
  void PauseWhereFull() {
    if (full()) call_.Pause();
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
           .client_streaming = true,
           .carries_tensors = true,
           .open = [](call::Call& call) -> std::unique_ptr<call::CallHandler> {
             return std::make_unique<InferBidi>(call);
           }}};
}

}  // namespace mlos::api::grpc
