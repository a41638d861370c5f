// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "api/door/lobby.h"
#include "api/ipc/server_options.h"
#include "base/clock.h"
#include "base/result.h"

namespace mlos::api::ipc {

/// The IPC door: frames over a Unix socket and rings in shared memory (docs/IPC-PROTOCOL.md). Runs
/// its own threads from Start until Shutdown. Thread-safe.
class Server {
 public:
  /// Binds, then serves what `lobby` leads to, which must outlive it and is joined before it goes.
  /// ADDRESS_IN_USE if a process listens there, INVALID_CONFIG with field `socket` if the path
  /// cannot be a socket, IO_ERROR.
  static Result<std::unique_ptr<Server>> Start(ServerOptions options, door::Lobby& lobby);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  /// Closes what is still open.
  ~Server();

  /// Stops accepting, removes the socket, answers what was sent before, and closes the connections.
  /// False where `deadline` came first and requests were cut off. Later calls do nothing.
  bool Shutdown(Deadline deadline);

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace mlos::api::ipc
