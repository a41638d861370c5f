// SPDX-License-Identifier: MIT
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/door/inference.h"
#include "api/ipc/operations.h"
#include "api/ipc/tensors.h"

namespace mlos::api::ipc {
namespace {

// Copying this much takes a tenth of a millisecond.
constexpr std::uint64_t kSmallCopyBytes = 1 << 20;

door::Inference::Terms TermsOf(const std::shared_ptr<Request>& request,
                               const wire::InferMessage& message) {
  return {.caller = request->caller(),
          .fit = message.fit ? runtime::Fit::kFitted : runtime::Fit::kExact,
          .deadline = request->DeadlineOf(message.timeout_us),
          .time_asked = message.timeout_us != 0,
          .cancellation = {request, request->cancellation()},
          .credit = nullptr};
}

/// What a frame asks for. Holds the frame and the regions that tensors point into.
class IpcInference : public door::Inference {
 public:
  IpcInference(const std::shared_ptr<Request>& request, wire::InferMessage message,
               std::vector<InputPlace> inputs)
      : door::Inference(request->service().lobby(), TermsOf(request, message)),
        request_(request),
        message_(std::move(message)),
        inputs_(std::move(inputs)) {}

  void Start() { door::Inference::Start(message_.model_id); }

 protected:
  Result<engine::InferenceRequest> Read() override {
    engine::InferenceRequest request;
    outputs_ = MLOS_TRY(FindOutputs(request_->session(), message_.outputs));
    for (const wire::TensorEntry& output : message_.outputs) {
      request.requested_outputs.emplace_back(output.name);
    }
    MLOS_TRY(MakeInputs(*request_, ticket(), message_.inputs, inputs_, request));
    request.sequence = MLOS_TRY(engine::MakeSequenceStep(
        std::string(message_.sequence_id), message_.sequence_start, message_.sequence_end));
    return request;
  }
  Status Write(engine::InferenceResponse& response) override {
    answer_ = MLOS_TRY(MakeResult(*request_, ticket().model_version(), response, outputs_));
    return OkStatus();
  }
  void End(Status status) override {
    if (!status.ok()) return request_->Finish(std::move(status));
    request_->Finish(std::move(answer_));
  }

 private:
  const std::shared_ptr<Request> request_;
  wire::InferMessage message_;
  const std::vector<InputPlace> inputs_;
  std::vector<OutputPlace> outputs_;
  wire::ByteBuffer answer_;
};

}  // namespace

void Infer(const std::shared_ptr<Request>& request) {
  Result<wire::InferMessage> message = wire::DecodeInfer(request->body());
  if (!message.ok()) return request->Finish(std::move(message).status());
  Result<std::vector<InputPlace>> inputs = FindInputs(*request, message->inputs);
  if (!inputs.ok()) return request->Finish(std::move(inputs).status());
  const bool large = BytesToCopy(*inputs) > kSmallCopyBytes;
  const auto inference = std::make_shared<IpcInference>(request, std::move(message).value(),
                                                        std::move(inputs).value());
  if (!large) return inference->Start();
  request->service().lobby().workers().Post(door::Executor::kWorker,
                                            [inference] { inference->Start(); });
}

}  // namespace mlos::api::ipc
