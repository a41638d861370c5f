// SPDX-License-Identifier: MIT
#include "api/grpc/methods.h"

namespace mlos::api::grpc {

std::vector<call::Method> Methods() {
  std::vector<call::Method> all;
  for (const auto& methods :
       {OipMethods(), OipInferenceMethods(), OipStreamMethods(), InferenceMethods(),
        InferenceBidiMethods(), MlosMethods(), HealthMethods(), ReflectionMethods()}) {
    all.insert(all.end(), methods.begin(), methods.end());
  }
  return all;
}

}  // namespace mlos::api::grpc
