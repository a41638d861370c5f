// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "api/http/call/inference.h"

namespace mlos::api::http::oip {

/// An inference of a model that the path names as the Open Inference Protocol does.
class Inference : public call::Inference {
 public:
  using call::Inference::Inference;

  void Start() { StartFound(Named()); }

 protected:
  /// `reply`, compressed as the caller likes it if that is worth it.
  Result<wire::Reply> Pack(wire::Reply reply);

 private:
  Result<std::string> Named() {
    return lobby().runtime().ResolveModel(call().id(), call().version());
  }
};

}  // namespace mlos::api::http::oip
