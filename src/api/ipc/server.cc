// SPDX-License-Identifier: MIT
#include "api/ipc/server.h"

#include <sys/epoll.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <thread>
#include <utility>
#include <vector>

#include "api/ipc/acceptor.h"
#include "api/ipc/connection.h"
#include "api/ipc/operations.h"
#include "api/ipc/service.h"
#include "api/ipc/socket/event_loop.h"

namespace mlos::api::ipc {
namespace {

// About what it takes to wake a thread on another core.
constexpr std::int64_t kSpinNs = 100'000;
constexpr unsigned kThreadsMax = 2;

unsigned ThreadCount(const ServerOptions& options) {
  if (options.threads != 0) return options.threads;
  return std::clamp(std::thread::hardware_concurrency(), 1U, kThreadsMax);
}

/// What `ask` says on the loop's thread.
template <typename Ask>
auto On(socket::EventLoop& loop, const Ask& ask) {
  auto answer = std::make_shared<std::promise<decltype(ask())>>();
  loop.Post([answer, ask] { answer->set_value(ask()); });
  return answer->get_future().get();
}

}  // namespace

class Server::Impl {
 public:
  static Result<std::unique_ptr<Impl>> Start(ServerOptions options, door::Lobby& lobby) {
    socket::ListeningSocket socket =
        MLOS_TRY(socket::ListeningSocket::Open(options.socket, options.mode));
    auto impl = std::make_unique<Impl>();
    const std::int64_t spin_ns = std::thread::hardware_concurrency() > 1 ? kSpinNs : 0;
    std::vector<socket::EventLoop*> loops;
    for (unsigned i = 0; i < ThreadCount(options); ++i) {
      impl->loops_.push_back(MLOS_TRY(socket::EventLoop::Create(spin_ns)));
      loops.push_back(impl->loops_.back().get());
    }
    impl->service_ = std::make_shared<Service>(std::move(options), Operations(), lobby);
    impl->acceptor_ = std::make_shared<Acceptor>(impl->service_, std::move(socket), loops);
    MLOS_TRY(On(*loops.front(), [acceptor = impl->acceptor_, loop = loops.front()] {
      return loop->Add(acceptor, acceptor->fd(), EPOLLIN);
    }));
    return impl;
  }

  ~Impl() { Shutdown(SteadyClock::now()); }

  bool Shutdown(Deadline deadline) {
    if (std::exchange(closed_, true)) return true;
    if (acceptor_ != nullptr) {
      On(*loops_.front(), [acceptor = acceptor_] {
        acceptor->Close();
        return true;
      });
    }
    for (const auto& loop : loops_) StartDraining(*loop);
    bool drained = false;
    while (!(drained = Drained()) && SteadyClock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    for (const auto& loop : loops_) CloseAll(*loop);
    return drained;
  }

 private:
  template <typename Visit>
  static void ForEachConnection(socket::EventLoop& loop, Visit visit) {
    loop.ForEach([visit](socket::EventHandler& handler) {
      if (auto* const connection = dynamic_cast<Connection*>(&handler)) visit(*connection);
    });
  }

  // Connections that were accepted before have been posted before, too.
  static void StartDraining(socket::EventLoop& loop) {
    loop.Post([&loop] {
      loop.set_draining();
      ForEachConnection(loop, [](Connection& connection) { connection.Drain(); });
    });
  }

  static void CloseAll(socket::EventLoop& loop) {
    On(loop, [&loop] {
      ForEachConnection(loop, [](Connection& connection) { connection.Close(); });
      return true;
    });
  }

  bool Drained() {
    return std::all_of(loops_.begin(), loops_.end(), [](const auto& loop) {
      return On(*loop, [&loop] { return loop->handler_count(); }) == 0;
    });
  }

  bool closed_ = false;
  std::shared_ptr<Service> service_;
  // Rings and loads speak to them until the lobby is joined.
  std::vector<std::unique_ptr<socket::EventLoop>> loops_;
  std::shared_ptr<Acceptor> acceptor_;
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::Start(ServerOptions options, door::Lobby& lobby) {
  return std::unique_ptr<Server>(new Server(MLOS_TRY(Impl::Start(std::move(options), lobby))));
}

bool Server::Shutdown(Deadline deadline) { return impl_->Shutdown(deadline); }

}  // namespace mlos::api::ipc
