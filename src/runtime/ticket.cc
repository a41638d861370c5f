// SPDX-License-Identifier: MIT
#include "runtime/ticket.h"

#include <utility>

#include "catalog/served_model.h"
#include "runtime/fit.h"
#include "runtime/inferences.h"

namespace mlos::runtime {
Ticket::Ticket(Inferences& inferences, std::shared_ptr<catalog::ServedModel> model,
               const Caller& caller)
    : inferences_(&inferences), model_(std::move(model)), caller_(caller) {}

const std::string& Ticket::model_id() const { return model_->model_id(); }
const std::string& Ticket::model_version() const { return model_->version(); }
const engine::ModelSchema& Ticket::schema() const { return model_->schema(); }
bool Ticket::streams() const { return model_->loaded().streams(); }

bool Ticket::MayChange(std::string_view input) const {
  return model_->files().facts.inputs_that_may_change.contains(input);
}

void Ticket::Refused(const Status& why) const { model_->counts()->Record(why, 0, 0); }

Status Ticket::FitTo(engine::InferenceRequest& request, Fit fit) const {
  Status status =
      fit == Fit::kFitted ? FitRequest(*model_, request) : CheckRequest(*model_, request);
  if (!status.ok()) Refused(status);
  return status;
}

void Ticket::Run(engine::InferenceRequest request, Fit fit, Done done) {
  if (Status fits = FitTo(request, fit); !fits.ok()) return done(std::move(fits));
  inferences_->Infer(caller_, model_, std::move(request), std::move(done));
}

void Ticket::Stream(engine::InferenceRequest request, Fit fit, std::shared_ptr<ResponseSink> sink) {
  if (Status fits = FitTo(request, fit); !fits.ok()) return sink->OnEnd(std::move(fits));
  inferences_->Stream(caller_, model_, std::move(request), std::move(sink));
}

}  // namespace mlos::runtime
