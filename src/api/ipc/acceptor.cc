// SPDX-License-Identifier: MIT
#include "api/ipc/acceptor.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "api/ipc/connection.h"
#include "api/ipc/wire/frame.h"

namespace mlos::api::ipc {
namespace {

Result<Peer> PeerOf(int fd) {
  ucred credentials{};
  socklen_t size = sizeof(credentials);
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    return Status(Reason::kPermissionDenied, "the caller is not known");
  }
  return Peer{credentials.uid, credentials.gid, credentials.pid};
}

Status CheckUser(const ServerOptions& options, const Peer& peer) {
  const auto& users = options.users;
  if (users.empty() || peer.uid == 0 || peer.uid == ::geteuid() ||
      std::find(users.begin(), users.end(), peer.uid) != users.end()) {
    return OkStatus();
  }
  return {Reason::kPermissionDenied, "this user may not connect (see --socket-users)"};
}

/// Tells a client that has not been let in why. Its buffer is empty: this is sent or it is gone.
void Turn(int fd, const Status& why) {
  wire::ByteBuffer frame;
  wire::EncodeError(frame, 0, why);
  if (!wire::FinishFrame(frame).ok()) return;
  ::send(fd, frame.data(), frame.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace

Acceptor::Acceptor(std::shared_ptr<Service> service, socket::ListeningSocket socket,
                   std::vector<socket::EventLoop*> loops)
    : service_(std::move(service)), socket_(std::move(socket)), loops_(std::move(loops)) {}

void Acceptor::Close() {
  if (socket_.fd() < 0) return;
  AcceptAll();
  if (std::exchange(paused_, false)) loops_.front()->WatchDeadlines(-1);
  const int fd = socket_.fd();
  loops_.front()->Remove(*this, fd);
  socket_.Close();
}

void Acceptor::OnEvents(std::uint32_t) { AcceptAll(); }

void Acceptor::AcceptAll() {
  while (true) {
    UniqueFd fd(::accept4(socket_.fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (fd.valid()) {
      Admit(std::move(fd));
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      return Pause();
    } else if (errno != EINTR && errno != ECONNABORTED) {
      return;
    }
  }
}

// Out of descriptors: the loop would turn without end. The next tick tries again.
void Acceptor::Pause() {
  if (std::exchange(paused_, true)) return;
  loops_.front()->SetEvents(*this, socket_.fd(), 0);
  loops_.front()->WatchDeadlines(1);
}

void Acceptor::OnTick(SteadyClock::time_point) {
  if (!std::exchange(paused_, false)) return;
  loops_.front()->WatchDeadlines(-1);
  loops_.front()->SetEvents(*this, socket_.fd(), EPOLLIN);
}

void Acceptor::Admit(UniqueFd fd) {
  const Result<Peer> peer = PeerOf(fd.get());
  Status admitted = peer.ok() ? CheckUser(service_->options(), *peer) : peer.status();
  if (admitted.ok() && open_->load() >= service_->options().connections_max) {
    admitted = Status(Reason::kOverloaded, "too many connections are open");
  }
  if (!admitted.ok()) {
    service_->runtime().stats().RecordRequest("ipc", "refused", admitted, 0);
    return Turn(fd.get(), admitted);
  }
  socket::EventLoop& loop = *loops_[next_++ % loops_.size()];
  auto session =
      std::make_shared<Session>(service_->options(), *peer, peer->uid == ::geteuid(), regions_);
  open_->fetch_add(1);
  const auto connection = std::make_shared<Connection>(
      service_, std::move(session), std::move(fd), loop, [open = open_] { open->fetch_sub(1); });
  loop.Post([connection] { connection->Start(); });
}

}  // namespace mlos::api::ipc
