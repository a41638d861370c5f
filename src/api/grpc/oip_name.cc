// SPDX-License-Identifier: MIT
#include "api/grpc/oip_name.h"

#include "base/text.h"

namespace mlos::api::grpc {

std::string OipModelId(std::string_view name, std::string_view version) {
  std::string id(name);
  if (!version.empty() && name.find('@') == std::string_view::npos) {
    id += '@';
    id += version;
  }
  return id;
}

Status CheckOipVersion(std::string_view model_id, std::string_view model_version,
                       std::string_view version) {
  const std::string suffix = "@" + std::string(version);
  if (version.empty() || version == model_version || model_id.ends_with(suffix)) return OkStatus();
  return Status(Reason::kModelNotFound, "the model is served in version '" +
                                            std::string(model_version) + "', not '" +
                                            Excerpt(version) + "'")
      .WithField("model_version");
}

}  // namespace mlos::api::grpc
