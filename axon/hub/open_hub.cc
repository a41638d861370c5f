// SPDX-License-Identifier: MIT
#include "axon/hub/open_hub.h"

#include <array>

#include "axon/hub/huggingface.h"
#include "axon/ui/hint.h"

namespace axon::hub {
namespace {

using mlos::Reason;
using mlos::Result;
using mlos::Status;

struct LaterHub {
  std::string_view name_space;
  std::string_view name;
};
constexpr std::array kLater = {
    LaterHub{"pytorch", "PyTorch Hub"},   LaterHub{"torch", "PyTorch Hub"},
    LaterHub{"tfhub", "TensorFlow Hub"},  LaterHub{"tf", "TensorFlow Hub"},
    LaterHub{"modelscope", "ModelScope"}, LaterHub{"ms", "ModelScope"},
    LaterHub{"replicate", "Replicate"},   LaterHub{"rep", "Replicate"},
};

}  // namespace

Result<std::unique_ptr<Hub>> OpenHub(std::string_view name_space, const HubSettings& settings,
                                     const fetch::CancelFlag& cancel) {
  if (name_space == "hf") return std::unique_ptr<Hub>(MakeHuggingFace(settings, cancel));
  for (const LaterHub& later : kLater) {
    if (later.name_space != name_space) continue;
    return Status(Reason::kUnimplemented, "models of " + std::string(later.name) +
                                              " cannot be installed by this version; its adapter "
                                              "comes later. Namespaces it knows: hf");
  }
  return ui::WithHint(
      Status(Reason::kInvalidModelId, "no hub has the namespace '" + std::string(name_space) + "'")
          .WithField("model_id"),
      "models of Hugging Face are named hf/<organisation>/<name>[@revision]");
}

}  // namespace axon::hub
