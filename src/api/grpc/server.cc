// SPDX-License-Identifier: MIT
#include "api/grpc/server.h"

#include <utility>

#include "api/grpc/call/dispatcher.h"
#include "api/grpc/http2/event_loop.h"
#include "api/grpc/methods.h"
#include "base/threads.h"
#include "net/sockets.h"

namespace mlos::api::grpc {

Result<std::unique_ptr<net::Listener>> Serve(const ServerOptions& options, door::Lobby& lobby) {
  net::ListeningSockets sockets = MLOS_TRY(
      net::OpenListeningSockets(options.host, options.port, ThreadsOrCores(options.threads)));
  const auto service = std::make_shared<call::Service>(options.calls, lobby);
  const auto dispatcher = std::make_shared<call::Dispatcher>(service, Methods());
  return net::Listener::Start<http2::EventLoop>(std::move(sockets), options.limits, dispatcher,
                                                options.tls);
}

}  // namespace mlos::api::grpc
