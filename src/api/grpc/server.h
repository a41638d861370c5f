// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "api/door/lobby.h"
#include "api/grpc/server_options.h"
#include "base/result.h"
#include "net/listener.h"

namespace mlos::api::grpc {

/// Opens the gRPC door, which translates calls to the runtime's use cases and their outcomes to
/// messages, and serves, on threads of its own, what `lobby` leads to, which must outlive the
/// listener and is joined before it goes. ADDRESS_IN_USE if another process listens there,
/// INVALID_CONFIG with the option's name as field, IO_ERROR.
Result<std::unique_ptr<net::Listener>> Serve(const ServerOptions& options, door::Lobby& lobby);

}  // namespace mlos::api::grpc
