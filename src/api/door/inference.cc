// SPDX-License-Identifier: MIT
#include "api/door/inference.h"

#include <algorithm>
#include <utility>

namespace mlos::api::door {

void Inference::Start(std::string_view model_id) {
  Status begun = Begin(model_id);
  if (!begun.ok()) End(std::move(begun));
}

void Inference::StartFound(const Result<std::string>& model_id) {
  if (!model_id.ok()) return End(model_id.status());
  Start(*model_id);
}

Status Inference::Begin(std::string_view model_id) {
  ticket_.emplace(MLOS_TRY(lobby_.Admit(terms_.caller, model_id)));
  Result<engine::InferenceRequest> read = Read();
  if (!read.ok()) {
    ticket_->Refused(read.status());
    return std::move(read).status();
  }
  engine::InferenceRequest request = std::move(read).value();
  // The message may ask for less time than the call has.
  request.deadline = std::min(request.deadline, terms_.deadline);
  request.cancellation = terms_.cancellation;
  const std::shared_ptr<Inference> self = shared_from_this();
  request.keepalive = self;
  if (!Streams()) {
    ticket_->Run(std::move(request), terms_.fit, [self](Result<engine::InferenceResponse> outcome) {
      self->OnOutcome(std::move(outcome));
    });
    return OkStatus();
  }
  request.credit = terms_.credit;
  ticket_->Stream(std::move(request), terms_.fit,
                  std::shared_ptr<runtime::ResponseSink>(self, this));
  return OkStatus();
}

void Inference::OnOutcome(Result<engine::InferenceResponse> outcome) {
  if (!outcome.ok()) return End(std::move(outcome).status());
  if (!IsLongToWrite(*outcome)) return End(Write(*outcome));
  const auto response = std::make_shared<engine::InferenceResponse>(std::move(outcome).value());
  lobby_.workers().Post(Executor::kWorker, [self = shared_from_this(), response] {
    self->End(self->Write(*response));
  });
}

Status Inference::OnResponse(engine::InferenceResponse response) {
  MLOS_TRY(Write(response));
  if (terms_.credit == nullptr || !terms_.credit->exceeded()) return OkStatus();
  return {Reason::kOverloaded, "more than " + std::to_string(engine::Credit::kBytesEnd) +
                                   " bytes of answers wait to be read, and the model gives more"};
}

}  // namespace mlos::api::door
