// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "api/ipc/polling_loop.h"
#include "api/ipc/roster.h"
#include "api/ipc/service.h"
#include "api/ipc/socket/listening_socket.h"

namespace mlos::api::ipc {

/// One thread's share of the door's connections. One of the loops accepts, looks at who connects,
/// and hands connections to all of them in turn.
class EventLoop final : public PollingLoop {
 public:
  explicit EventLoop(const std::shared_ptr<Service>& service)
      : service_(service), roster_(service) {}
  /// Waits for the threads of rings, which use what outlives the door.
  ~EventLoop() override;

  /// Accepts on all of `sockets`, for itself and for `others`, which must AwaitConnections. Before
  /// Run. IO_ERROR.
  Status Listen(std::vector<socket::ListeningSocket> sockets,
                std::vector<std::shared_ptr<EventLoop>> others);

 private:
  void OnAccept(UniqueFd fd) override;
  /// PERMISSION_DENIED, OVERLOADED.
  Result<std::shared_ptr<Session>> Admit(int fd);
  void OnAcceptingEnded() override;
  void Adopt(UniqueFd fd, std::shared_ptr<Session> session);
  void Open(UniqueFd fd, const std::shared_ptr<Session>& session);

  const std::shared_ptr<Service> service_;
  std::vector<socket::ListeningSocket> listening_;  ///< empty for loops that do not accept
  std::vector<std::shared_ptr<EventLoop>> others_;
  Roster roster_;  // of the loop that accepts
  std::size_t next_ = 0;
};

}  // namespace mlos::api::ipc
