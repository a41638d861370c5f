// SPDX-License-Identifier: MIT
#include "api/http/server.h"

#include <utility>

#include "api/http/call/service.h"
#include "api/http/dispatcher.h"
#include "api/http/wire/event_loop.h"
#include "api/http/wire/front_loop.h"
#include "base/threads.h"
#include "net/sockets.h"

namespace mlos::api::http {

Result<std::unique_ptr<net::Listener>> Serve(const ServerOptions& options, door::Lobby& lobby) {
  const unsigned threads = ThreadsOrCores(options.threads);
  // What is encrypted cannot be sorted before its handshake, which the front has no time for.
  const bool front = options.tls == nullptr;
  net::ListeningSockets sockets =
      MLOS_TRY(net::OpenListeningSockets(options.host, options.port, front ? 1 : threads));
  const auto service = std::make_shared<call::Service>(options.calls, lobby, sockets.port);
  const auto dispatcher = std::make_shared<Dispatcher>(service, options, sockets.address);
  if (front) return wire::ListenWithFront(std::move(sockets), threads, options.limits, dispatcher);
  return net::Listener::Start<wire::EventLoop>(std::move(sockets), options.limits, dispatcher,
                                               options.tls);
}

}  // namespace mlos::api::http
