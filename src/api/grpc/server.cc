// SPDX-License-Identifier: MIT
#include "api/grpc/server.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "api/grpc/call/dispatcher.h"
#include "api/grpc/http2/event_loop.h"
#include "api/grpc/methods.h"
#include "net/listener.h"
#include "net/sockets.h"

namespace mlos::api::grpc {

class Server::Impl {
 public:
  static Result<std::unique_ptr<Impl>> Start(const ServerOptions& options, door::Lobby& lobby) {
    const unsigned threads =
        options.threads != 0 ? options.threads : std::max(1U, std::thread::hardware_concurrency());
    net::ListeningSockets sockets =
        MLOS_TRY(net::OpenListeningSockets(options.host, options.port, threads));
    auto impl = std::make_unique<Impl>();
    impl->port_ = sockets.port;
    const auto service = std::make_shared<call::Service>(options.calls, lobby);
    const auto dispatcher = std::make_shared<call::Dispatcher>(service, Methods());
    impl->listener_ = MLOS_TRY(net::Listener::Start<http2::EventLoop>(
        std::move(sockets), options.limits, dispatcher, options.tls));
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

}  // namespace mlos::api::grpc
