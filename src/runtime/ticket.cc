// SPDX-License-Identifier: MIT
#include "runtime/ticket.h"

#include <utility>

#include "catalog/served_model.h"
#include "runtime/fit.h"
#include "runtime/runtime.h"

namespace mlos::runtime {
namespace {

class FunctionSink : public ResponseSink {
 public:
  FunctionSink(std::function<void(engine::InferenceResponse)> on_response,
               std::function<void(Status)> on_end)
      : on_response_(std::move(on_response)), on_end_(std::move(on_end)) {}

  Status OnResponse(engine::InferenceResponse response) override {
    on_response_(std::move(response));
    return OkStatus();
  }
  void OnEnd(Status status) override { on_end_(std::move(status)); }

 private:
  const std::function<void(engine::InferenceResponse)> on_response_;
  const std::function<void(Status)> on_end_;
};

}  // namespace

std::shared_ptr<ResponseSink> SinkOf(std::function<void(engine::InferenceResponse)> on_response,
                                     std::function<void(Status)> on_end) {
  return std::make_shared<FunctionSink>(std::move(on_response), std::move(on_end));
}

Ticket::Ticket(Runtime& runtime, std::shared_ptr<catalog::ServedModel> model)
    : runtime_(&runtime), model_(std::move(model)) {}

const std::string& Ticket::model_id() const { return model_->model_id(); }
const std::string& Ticket::model_version() const { return model_->version(); }
const engine::ModelSchema& Ticket::schema() const { return model_->schema(); }
bool Ticket::streams() const { return model_->loaded().streams(); }

void Ticket::Refused(const Status& why) const { model_->counts()->Record(why, 0, 0); }

Status Ticket::FitTo(engine::InferenceRequest& request, Fit fit) const {
  Status status =
      fit == Fit::kFitted ? FitRequest(*model_, request) : CheckRequest(*model_, request);
  if (!status.ok()) Refused(status);
  return status;
}

void Ticket::Run(engine::InferenceRequest request, Fit fit, Done done) {
  if (Status fits = FitTo(request, fit); !fits.ok()) return done(std::move(fits));
  runtime_->Infer(model_, std::move(request), std::move(done));
}

void Ticket::Stream(engine::InferenceRequest request, Fit fit, std::shared_ptr<ResponseSink> sink) {
  if (Status fits = FitTo(request, fit); !fits.ok()) return sink->OnEnd(std::move(fits));
  runtime_->Stream(model_, std::move(request), std::move(sink));
}

}  // namespace mlos::runtime
