// SPDX-License-Identifier: MIT
#include "api/ipc/server.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "api/ipc/event_loop.h"
#include "api/ipc/operations.h"
#include "api/ipc/service.h"
#include "api/ipc/socket/listening_socket.h"
#include "base/log.h"
#include "base/threads.h"

namespace mlos::api::ipc {
namespace {

constexpr unsigned kThreadsMax = 2;

unsigned ThreadCount(const ServerOptions& options) {
  return options.threads != 0 ? options.threads : std::min(CoreCount(), kThreadsMax);
}

Result<socket::ListeningSocket> Open(const std::string& path, std::uint32_t mode) {
  Result<socket::ListeningSocket> opened = socket::ListeningSocket::Open(path, mode);
  if (!opened.ok()) return std::move(opened).status().WithContext("socket '" + path + "'");
  Log(LogLevel::kInfo, "serving IPC", {{"socket", path}});
  return opened;
}

/// The socket of the door and, unless something is in its way, the second one.
Result<std::vector<socket::ListeningSocket>> OpenSockets(const ServerOptions& options) {
  std::vector<socket::ListeningSocket> sockets;
  sockets.push_back(MLOS_TRY(Open(options.socket, options.mode)));
  if (options.second_socket.empty()) return sockets;
  Result<socket::ListeningSocket> second = Open(options.second_socket, options.mode);
  if (second.ok()) {
    sockets.push_back(std::move(second).value());
  } else {
    Log(LogLevel::kWarning, "not serving IPC at a second socket", {LogField(second.status())});
  }
  return sockets;
}

}  // namespace

Result<std::unique_ptr<net::Listener>> Serve(ServerOptions options, door::Lobby& lobby) {
  std::vector<socket::ListeningSocket> sockets = MLOS_TRY(OpenSockets(options));
  const unsigned threads = ThreadCount(options);
  const auto service = std::make_shared<Service>(std::move(options), Operations(), lobby);
  std::vector<std::shared_ptr<EventLoop>> others;
  while (others.size() + 1 < threads) {
    others.push_back(std::make_shared<EventLoop>(service));
    others.back()->AwaitConnections();
  }
  const auto first = std::make_shared<EventLoop>(service);
  MLOS_TRY(first->Listen(std::move(sockets), others));
  std::vector<std::shared_ptr<net::Loop>> loops = {first};
  loops.insert(loops.end(), others.begin(), others.end());
  return std::make_unique<net::Listener>(std::move(loops), 0);
}

}  // namespace mlos::api::ipc
