// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "api/ipc/service.h"
#include "api/ipc/socket/event_loop.h"
#include "api/ipc/socket/listening_socket.h"

namespace mlos::api::ipc {

/// Accepts connections, looks at who they are, and hands them to the loops in turn. Belongs to the
/// first of these; its methods are for that one's thread.
class Acceptor : public socket::EventHandler {
 public:
  Acceptor(std::shared_ptr<Service> service, socket::ListeningSocket socket,
           std::vector<socket::EventLoop*> loops);

  int fd() const { return socket_.fd(); }
  /// Accepts what has come in until now, and then closes and removes the socket.
  void Close();

  void OnEvents(std::uint32_t events) override;
  void OnTick(SteadyClock::time_point now) override;

 private:
  void AcceptAll();
  void Admit(UniqueFd fd);
  void Pause();

  const std::shared_ptr<Service> service_;
  socket::ListeningSocket socket_;
  const std::vector<socket::EventLoop*> loops_;
  std::size_t next_ = 0;
  bool paused_ = false;
  const std::shared_ptr<std::atomic<std::uint32_t>> regions_ =
      std::make_shared<std::atomic<std::uint32_t>>(0);
  const std::shared_ptr<std::atomic<unsigned>> open_ = std::make_shared<std::atomic<unsigned>>(0);
};

}  // namespace mlos::api::ipc
