// SPDX-License-Identifier: MIT
#include "axon/cli/versions.h"

#include "mlos/smi_spec.h"

namespace axon::cli {

std::string AxonVersion() { return AXON_VERSION; }

// One tree, one version: Core and axon are released together.
std::string CoreVersion() { return AXON_VERSION; }

std::string SmiVersion() {
  return std::to_string(SMI_VERSION_MAJOR) + "." + std::to_string(SMI_VERSION_MINOR) + "." +
         std::to_string(SMI_VERSION_PATCH);
}

std::string VersionLine() {
  return "axon " + AxonVersion() + " (MLOS Core " + CoreVersion() + ", SMI " + SmiVersion() + ")";
}

}  // namespace axon::cli
