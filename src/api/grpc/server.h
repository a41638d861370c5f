// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>

#include "api/door/lobby.h"
#include "api/grpc/server_options.h"
#include "base/clock.h"
#include "base/result.h"

namespace mlos::api::grpc {

/// The gRPC door: translates calls to the runtime's use cases and their outcomes to messages. Runs
/// its own threads from Start until Shutdown. Thread-safe.
class Server {
 public:
  /// Binds, then serves what `lobby` leads to, which must outlive it and is joined before it goes.
  /// ADDRESS_IN_USE if another process listens there, INVALID_CONFIG with the option's name as
  /// field, IO_ERROR.
  static Result<std::unique_ptr<Server>> Start(const ServerOptions& options, door::Lobby& lobby);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  /// Closes what is still open.
  ~Server();

  /// The port it listens on, also where port 0 was asked for.
  std::uint16_t port() const;

  /// Stops accepting, answers the calls under way, and closes the connections. False where
  /// `deadline` came first and calls were cut off. Later calls do nothing.
  bool Shutdown(Deadline deadline);

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace mlos::api::grpc
