// SPDX-License-Identifier: MIT
#include "engine/engine.h"

#include <algorithm>
#include <utility>

namespace mlos::engine {
namespace {

const tensor::TensorSpec* Find(const std::vector<tensor::TensorSpec>& specs,
                               std::string_view name) {
  const auto spec = std::find_if(specs.begin(), specs.end(),
                                 [&](const tensor::TensorSpec& s) { return s.name == name; });
  return spec == specs.end() ? nullptr : &*spec;
}

}  // namespace

std::string_view ToString(EngineHealth health) {
  switch (health) {
    case EngineHealth::kOk:
      return "ok";
    case EngineHealth::kDegraded:
      return "degraded";
    case EngineHealth::kFailed:
      break;
  }
  return "failed";
}

const tensor::TensorSpec* ModelSchema::FindInput(std::string_view name) const {
  return Find(inputs, name);
}

const tensor::TensorSpec* ModelSchema::FindOutput(std::string_view name) const {
  return Find(outputs, name);
}

void LoadedModel::Submit(std::span<Run* const> runs) {
  for (Run* run : runs) {
    Result<InferenceResponse> outcome = Infer(run->request(), &run->stop());
    Status status = outcome.status();
    if (outcome.ok()) static_cast<void>(run->Respond(std::move(outcome).value()));
    run->End(std::move(status));
  }
}

}  // namespace mlos::engine
