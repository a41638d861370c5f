// SPDX-License-Identifier: MIT
#include "api/http/server.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "api/http/call/service.h"
#include "api/http/dispatcher.h"
#include "api/http/wire/event_loop.h"
#include "api/http/wire/front_loop.h"
#include "net/listener.h"
#include "net/sockets.h"

namespace mlos::api::http {

class Server::Impl {
 public:
  static Result<std::unique_ptr<Impl>> Start(const ServerOptions& options, door::Lobby& lobby) {
    const unsigned threads =
        options.threads != 0 ? options.threads : std::max(1U, std::thread::hardware_concurrency());
    // What is encrypted cannot be sorted before its handshake, which the front has no time for.
    const bool front = options.tls == nullptr;
    net::ListeningSockets sockets =
        MLOS_TRY(net::OpenListeningSockets(options.host, options.port, front ? 1 : threads));
    auto impl = std::make_unique<Impl>();
    impl->port_ = sockets.port;
    const auto service = std::make_shared<call::Service>(options.calls, lobby, sockets.port);
    const auto dispatcher =
        std::make_shared<Dispatcher>(service, options.allowed_hosts, sockets.address);
    impl->listener_ = MLOS_TRY(
        front ? wire::ListenWithFront(std::move(sockets), threads, options.limits, dispatcher)
              : net::Listener::Start<wire::EventLoop>(std::move(sockets), options.limits,
                                                      dispatcher, options.tls));
    return impl;
  }

  std::uint16_t port() const { return port_; }
  bool Shutdown(Deadline deadline) { return listener_->Shutdown(deadline); }

 private:
  std::uint16_t port_ = 0;
  std::unique_ptr<net::Listener> listener_;
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::Start(const ServerOptions& options, door::Lobby& lobby) {
  std::unique_ptr<Impl> impl = MLOS_TRY(Impl::Start(options, lobby));
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

std::uint16_t Server::port() const { return impl_->port(); }

bool Server::Shutdown(Deadline deadline) { return impl_->Shutdown(deadline); }

}  // namespace mlos::api::http
