// SPDX-License-Identifier: MIT
#pragma once

#include <functional>

#include "api/door/lobby.h"
#include "base/clock.h"
#include "base/result.h"
#include "catalog/model_info.h"

namespace mlos::api::door {

using Registered = std::function<void(Result<catalog::RegisterModelOutcome>)>;

/// Registers a model as Runtime::RegisterModel does, and tells `done`, once. A model that is
/// registered already, just so, is answered here: call it on a manager's thread. Others wait for a
/// loader's thread, until `deadline`: OVERLOADED, DEADLINE_EXCEEDED.
void RegisterModel(Lobby& lobby, catalog::RegisterModelRequest request, Deadline deadline,
                   Registered done);

}  // namespace mlos::api::door
