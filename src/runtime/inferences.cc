// SPDX-License-Identifier: MIT
#include "runtime/inferences.h"

#include <utility>

#include "runtime/inference_job.h"

namespace mlos::runtime {
namespace {

/// The place of the request in its sequence; an empty one if it stands alone. A refusal is counted.
Result<sequence::Sequences::Entry> PlaceOf(const Caller& caller, catalog::ServedModel& model,
                                           engine::InferenceRequest& request) {
  if (request.sequence == nullptr) return sequence::Sequences::Entry();
  auto place = model.sequences()->Enter(*request.sequence, caller.account);
  if (!place.ok()) model.counts()->Record(place.status(), 0, 0);
  return place;
}

}  // namespace

void Inferences::Infer(const Caller& caller, std::shared_ptr<catalog::ServedModel> model,
                       engine::InferenceRequest request, Done done) {
  auto place = PlaceOf(caller, *model, request);
  if (!place.ok()) return done(std::move(place).status());
  scheduler_.Submit(std::make_shared<InferenceJob>(
      std::move(model), std::move(request), std::move(place).value(), stats_, std::move(done)));
}

void Inferences::Stream(const Caller& caller, std::shared_ptr<catalog::ServedModel> model,
                        engine::InferenceRequest request, std::shared_ptr<ResponseSink> sink) {
  if (!model->loaded().streams()) {
    return Infer(caller, std::move(model), std::move(request),
                 [sink = std::move(sink)](Result<engine::InferenceResponse> outcome) {
                   if (!outcome.ok()) return sink->OnEnd(std::move(outcome).status());
                   sink->OnEnd(sink->OnResponse(std::move(outcome).value()));
                 });
  }
  auto place = PlaceOf(caller, *model, request);
  if (!place.ok()) return sink->OnEnd(std::move(place).status());
  scheduler_.Submit(std::make_shared<StreamJob>(std::move(model), std::move(request),
                                                std::move(place).value(), stats_, std::move(sink)));
}

}  // namespace mlos::runtime
