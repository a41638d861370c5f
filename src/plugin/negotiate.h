// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "mlos/smi_spec.h"

namespace mlos::plugin {

/// Whether this host can drive `plugin`, as smi_plugin_init returned it. PLUGIN_INCOMPATIBLE names
/// the member that differs, what it is and what is expected. `expected_id` is empty for any.
Status Negotiate(const smi_plugin_t* plugin, std::string_view expected_id);

/// "1.0.0".
std::string VersionText(std::uint32_t smi_version);

}  // namespace mlos::plugin
