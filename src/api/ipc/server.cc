// SPDX-License-Identifier: MIT
#include "api/ipc/server.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "api/ipc/event_loop.h"
#include "api/ipc/operations.h"
#include "api/ipc/service.h"
#include "api/ipc/socket/listening_socket.h"
#include "base/threads.h"

namespace mlos::api::ipc {
namespace {

constexpr unsigned kThreadsMax = 2;

unsigned ThreadCount(const ServerOptions& options) {
  return options.threads != 0 ? options.threads : std::min(CoreCount(), kThreadsMax);
}

}  // namespace

Result<std::unique_ptr<net::Listener>> Serve(ServerOptions options, door::Lobby& lobby) {
  socket::ListeningSocket socket =
      MLOS_TRY(socket::ListeningSocket::Open(options.socket, options.mode));
  const unsigned threads = ThreadCount(options);
  const auto service = std::make_shared<Service>(std::move(options), Operations(), lobby);
  std::vector<std::shared_ptr<EventLoop>> others;
  while (others.size() + 1 < threads) {
    others.push_back(std::make_shared<EventLoop>(service));
    others.back()->AwaitConnections();
  }
  const auto first = std::make_shared<EventLoop>(service);
  MLOS_TRY(first->Listen(std::move(socket), others));
  std::vector<std::shared_ptr<net::Loop>> loops = {first};
  loops.insert(loops.end(), others.begin(), others.end());
  return std::make_unique<net::Listener>(std::move(loops), 0);
}

}  // namespace mlos::api::ipc
