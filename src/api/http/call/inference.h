// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <utility>

#include "api/door/inference.h"
#include "api/http/call/call.h"
#include "api/http/wire/message.h"

namespace mlos::api::http::call {

/// An inference that a call asks for and whose one answer is its reply.
class Inference : public door::Inference {
 public:
  explicit Inference(std::shared_ptr<Call> call, runtime::Fit fit,
                     std::shared_ptr<engine::Credit> credit = nullptr)
      : door::Inference(call->service().lobby(), {.caller = call->caller(),
                                                  .fit = fit,
                                                  .deadline = call->deadline(),
                                                  .time_asked = call->time_asked(),
                                                  .cancellation = call->cancellation(),
                                                  .credit = std::move(credit)}),
        call_(std::move(call)) {}

 protected:
  Call& call() const { return *call_; }
  resource::ByteBudget& budget() const { return call_->budget(); }

  /// The reply that tells of the answer, which it may take.
  virtual Result<wire::Reply> Encode(engine::InferenceResponse& response) = 0;
  Status Write(engine::InferenceResponse& response) override {
    reply_ = MLOS_TRY(Encode(response));
    return OkStatus();
  }
  void End(Status status) override {
    if (!status.ok()) return call_->Finish(std::move(status));
    call_->Finish(std::move(reply_));
  }

 private:
  const std::shared_ptr<Call> call_;
  wire::Reply reply_;
};

}  // namespace mlos::api::http::call
