// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "api/door/lobby.h"
#include "api/ipc/server_options.h"
#include "base/result.h"
#include "net/listener.h"

namespace mlos::api::ipc {

/// Opens the IPC door, frames over a Unix socket and rings in shared memory (docs/IPC-PROTOCOL.md),
/// and serves, on threads of its own, what `lobby` leads to, which must outlive the listener and is
/// joined before it goes. ADDRESS_IN_USE if a process listens there, INVALID_CONFIG with field
/// `socket` if the path cannot be a socket of its own, IO_ERROR. If the second socket cannot be
/// served, that is logged and no failure.
Result<std::unique_ptr<net::Listener>> Serve(ServerOptions options, door::Lobby& lobby);

}  // namespace mlos::api::ipc
