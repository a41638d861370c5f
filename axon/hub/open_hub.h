// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string_view>

#include "axon/fetch/cancel.h"
#include "axon/hub/hub.h"
#include "base/result.h"

namespace axon::hub {

/// The hub of a namespace. UNIMPLEMENTED for hubs that a later version will have, INVALID_MODEL_ID
/// for an unknown one. `cancel` must outlive the hub.
mlos::Result<std::unique_ptr<Hub>> OpenHub(std::string_view name_space, const HubSettings& settings,
                                           const fetch::CancelFlag& cancel);

}  // namespace axon::hub
