// SPDX-License-Identifier: MIT
#include "api/door/registration.h"

#include <optional>
#include <utility>

namespace mlos::api::door {

void RegisterModel(Lobby& lobby, catalog::RegisterModelRequest request, Deadline deadline,
                   Registered done) {
  Result<std::optional<catalog::ModelInfo>> known = lobby.runtime().FindRegistered(request);
  if (!known.ok()) return done(std::move(known).status());
  if (known->has_value()) {
    return done(catalog::RegisterModelOutcome{**std::move(known), false});
  }
  lobby.workers().Run(Executor::kLoader, deadline,
                      [&runtime = lobby.runtime(), request = std::move(request), deadline,
                       done = std::move(done)](Status turn) {
                        if (!turn.ok()) return done(std::move(turn));
                        done(runtime.RegisterModel(request, deadline));
                      });
}

}  // namespace mlos::api::door
