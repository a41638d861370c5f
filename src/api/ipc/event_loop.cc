// SPDX-License-Identifier: MIT
#include "api/ipc/event_loop.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>
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

/// Tells a client that is not let in why. Its buffer is empty: this is sent or the client is gone.
void SendRefusal(int fd, const Status& why) {
  wire::ByteBuffer frame;
  wire::EncodeError(frame, 0, why);
  if (!wire::FinishFrame(frame).ok()) return;
  ::send(fd, frame.data(), frame.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace

EventLoop::~EventLoop() {
  // Their sessions are closed, so each looks around within a quarter of a second.
  while (service_->totals()->ring_threads.load() != 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

Status EventLoop::Listen(std::vector<socket::ListeningSocket> sockets,
                         std::vector<std::shared_ptr<EventLoop>> others) {
  for (socket::ListeningSocket& socket : sockets) MLOS_TRY(AcceptOn(socket.TakeDescriptor()));
  listening_ = std::move(sockets);
  others_ = std::move(others);
  return OkStatus();
}

void EventLoop::OnAccept(UniqueFd fd) {
  Result<std::shared_ptr<Session>> session = Admit(fd.get());
  if (!session.ok()) {
    service_->runtime().stats().RecordRequest("ipc", "refused", session.status(), 0);
    return SendRefusal(fd.get(), session.status());
  }
  const std::size_t turn = next_++ % (others_.size() + 1);
  if (turn == others_.size()) return Open(std::move(fd), *session);
  others_[turn]->Adopt(std::move(fd), std::move(*session));
}

Result<std::shared_ptr<Session>> EventLoop::Admit(int fd) {
  const Peer peer = MLOS_TRY(PeerOf(fd));
  MLOS_TRY(CheckUser(service_->options(), peer));
  return roster_.Admit(peer);
}

void EventLoop::OnAcceptingEnded() {
  for (socket::ListeningSocket& socket : listening_) socket.Remove();
  for (const auto& other : others_) other->EndAdopting();
}

void EventLoop::Adopt(UniqueFd fd, std::shared_ptr<Session> session) {
  Post([self = std::static_pointer_cast<EventLoop>(shared_from_this()), fd = std::move(fd),
        session = std::move(session)]() mutable { self->Open(std::move(fd), session); });
}

void EventLoop::Open(UniqueFd fd, const std::shared_ptr<Session>& session) {
  Connection::Socket socket(io());
  boost::system::error_code error;
  socket.assign(boost::asio::local::stream_protocol(), fd.get(), error);
  if (error) return;
  static_cast<void>(fd.Release());
  const auto connection = std::make_shared<Connection>(service_, session, std::move(socket), *this);
  session->SetLink(connection);
  Add(connection);
}

}  // namespace mlos::api::ipc
