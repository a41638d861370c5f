// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "base/status.h"

namespace mlos::daemon {

/// Where Core used to listen by default. Everybody may write in that folder, so the default socket
/// lies elsewhere by now, and this one is served beside it for clients that do not know.
inline constexpr char kFormerSocket[] = "/tmp/mlos.sock";

/// The default socket: `mlos.sock` in the first folder in which nobody but Core's own user can put
/// anything: $XDG_RUNTIME_DIR, /run/mlos if it is there or can be made, the state folder. Clients
/// look in the same order (docs/IPC-PROTOCOL.md).
std::string DefaultSocket(const std::string& state_dir);

/// Makes the folder of the default socket if it is not there, which can only be /run/mlos.
Status MakeSocketFolder(const std::string& socket);

}  // namespace mlos::daemon
