// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "base/result.h"
#include "daemon/config_loader.h"

namespace mlos::daemon {

enum class Action {
  kServe,
  kPrintConfig,
  kCheckConfig,
  kCheckState,
  kBackup,
  kRestore,
  kProbeModel,  ///< the trial process of a model's first load
  kExit,        ///< everything has been said: --help, --version, or a usage error
};

struct CommandLine {
  Action action = Action::kServe;
  int exit_code = 0;
  std::string file;  ///< of kBackup and kRestore
  ConfigSources sources;
};

/// Reads the arguments. Help and version go to standard output, usage errors to standard error with
/// exit code 2.
CommandLine ParseCommandLine(int argc, const char* const* argv);

/// "mlos_core 1.0.0 (SMI 1.0.0)".
std::string VersionText();

}  // namespace mlos::daemon
