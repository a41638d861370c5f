// SPDX-License-Identifier: MIT
#include "api/grpc/oip_name.h"

#include <utility>

namespace mlos::api::grpc {

Result<std::string> OipModelId(const runtime::Runtime& runtime, std::string_view name,
                               std::string_view version) {
  Result<std::string> id = runtime.ResolveModel(name, version);
  if (id.ok() || version.empty() || !runtime.ResolveModel(name).ok()) return id;
  return std::move(id).status().WithField("model_version");
}

}  // namespace mlos::api::grpc
