// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string_view>

#include "base/status.h"

namespace axon::ui {

/// The exit codes. The numbers are part of the command line's contract: new ones may be added, but
/// none changed.
enum class ExitCode : int {
  kOk = 0,
  kFailure = 1,
  kUsage = 2,
  kNotFound = 3,
  kAccess = 4,
  kNetwork = 5,
  kIntegrity = 6,
  kDiskFull = 7,
  kConflict = 8,
  kCore = 9,
  kUnsupported = 10,
  kInterrupted = 130,
};

/// The exit code of a failure, by its reason.
ExitCode ExitCodeOf(mlos::Reason reason);

struct ExitCodeEntry {
  ExitCode code;
  std::string_view meaning;
};
/// Every exit code with its meaning, for the reference.
std::span<const ExitCodeEntry> ExitCodes();

}  // namespace axon::ui
