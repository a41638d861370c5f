// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "api/ipc/server_options.h"
#include "base/clock.h"
#include "base/result.h"
#include "runtime/runtime.h"

namespace mlos::api::ipc {

/// The IPC door: frames over a Unix socket and rings in shared memory (docs/IPC-PROTOCOL.md). Runs
/// its own threads from Start until Shutdown. Thread-safe.
class Server {
 public:
  /// Binds, then serves `runtime`, which must outlive it. ADDRESS_IN_USE where a process listens
  /// there, INVALID_CONFIG with field `socket` where the path cannot be a socket, IO_ERROR.
  static Result<std::unique_ptr<Server>> Start(ServerOptions options, runtime::Runtime& runtime);
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
