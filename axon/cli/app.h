// SPDX-License-Identifier: MIT
#pragma once

#include "axon/fetch/cancel.h"
#include "axon/ui/exit_code.h"

namespace axon::cli {

/// Parses the command line and runs its command. `cancel`, set by a signal handler, ends it early.
ui::ExitCode Run(int argc, const char* const* argv, const fetch::CancelFlag& cancel);

}  // namespace axon::cli
