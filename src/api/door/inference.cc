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
  Result<runtime::Ticket> admitted = lobby_.Admit(terms_.caller, model_id);
  if (!admitted.ok()) {
    if (admitted.status().reason() != Reason::kModelLoading) return std::move(admitted).status();
    AwaitLoad(model_id);
    return OkStatus();
  }
  ticket_.emplace(std::move(admitted).value());
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

void Inference::AwaitLoad(std::string_view model_id) {
  const auto go_on = [self = shared_from_this(), id = std::string(model_id)](Status outcome) {
    // Messages take their time to be read, and others wait to be told.
    self->lobby_.workers().Post(Executor::kWorker, [self, id, outcome = std::move(outcome)] {
      if (!outcome.ok()) return self->End(outcome);
      self->Start(id);
    });
  };
  lobby_.runtime().AwaitLoad(model_id, WaitsUntil(), terms_.cancellation, go_on);
}

Deadline Inference::WaitsUntil() {
  if (!waits_until_) {
    const Deadline asked = AskedDeadline();
    const bool time_asked = terms_.time_asked || asked != kNoDeadline;
    waits_until_ =
        std::min(terms_.deadline, time_asked ? asked : SteadyClock::now() + lobby_.load_wait());
  }
  return *waits_until_;
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
