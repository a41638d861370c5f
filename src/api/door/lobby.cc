// SPDX-License-Identifier: MIT
#include "api/door/lobby.h"

namespace mlos::api::door {

Result<runtime::Ticket> Lobby::Admit(const runtime::Caller& caller, std::string_view model_id) {
  MLOS_TRY(Authorize(caller, Operation::kInfer, model_id));
  return runtime_.Admit(caller, model_id);
}

// Whoever gets as far as here may do everything: doors let in whom they are told to.
Status Lobby::Authorize(const runtime::Caller& /*caller*/, Operation /*operation*/,
                        std::string_view /*model*/) {
  return OkStatus();
}

}  // namespace mlos::api::door
