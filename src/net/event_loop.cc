// SPDX-License-Identifier: MIT
#include "net/event_loop.h"

#include <sys/socket.h>

#include <chrono>

#include "base/log.h"

namespace mlos::net {
namespace {

using boost::system::error_code;

// Timeouts are seconds long, so one look a quarter second at all connections replaces a timer each.
constexpr auto kTick = std::chrono::milliseconds(250);
// Accepting pauses for this time if the process has no file descriptor left.
constexpr auto kAcceptPause = std::chrono::milliseconds(100);

boost::asio::ip::tcp ProtocolOf(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  return address.ss_family == AF_INET6 ? boost::asio::ip::tcp::v6() : boost::asio::ip::tcp::v4();
}

}  // namespace

EventLoop::EventLoop(Share share)
    : share_(std::move(share)),
      work_(boost::asio::make_work_guard(io_)),
      acceptor_(io_),
      timer_(io_),
      accept_pause_(io_) {}

Status EventLoop::Listen(UniqueFd listening) {
  error_code error;
  const Tcp protocol = ProtocolOf(listening.get());
  acceptor_.assign(protocol, listening.Release(), error);
  if (!error) acceptor_.non_blocking(true, error);
  if (error) return {Reason::kIoError, "cannot listen: " + error.message()};
  listens_on_any_ = acceptor_.local_endpoint(error).address().is_unspecified();
  return OkStatus();
}

void EventLoop::AwaitConnections(bool listens_on_any) {
  adopting_ = true;
  listens_on_any_ = listens_on_any;
}

void EventLoop::Run() {
  Tick();
  Accept();
  io_.run();
}

void EventLoop::Accept() {
  if (draining_ || !acceptor_.is_open()) return;
  acceptor_.async_accept([self = shared_from_this()](const error_code& error, Tcp::socket socket) {
    self->OnAccept(error, std::move(socket));
  });
}

void EventLoop::OnAccept(const error_code& error, Tcp::socket socket) {
  if (!error) {
    Add(std::move(socket));
    // It was accepted before the drain began, and is treated like the others.
    if (draining_ && !open_.empty()) open_.back().Drain();
    Accept();
    return;
  }
  if (draining_) return;
  if (error == boost::asio::error::no_descriptors) {
    Log(LogLevel::kWarning, "no file descriptor left for another connection",
        {{"door", share_.door}, {"open", open_.size()}});
    OnNoDescriptor();
  }
  // Without a pause, a full table of descriptors would keep this loop busy with failing accepts.
  accept_pause_.expires_after(kAcceptPause);
  accept_pause_.async_wait([self = shared_from_this()](const error_code& stopped) {
    if (!stopped) self->Accept();
  });
}

void EventLoop::Adopt(UniqueFd fd, ByteBuffer received) {
  Post([self = shared_from_this(), fd = std::move(fd), received = std::move(received)]() mutable {
    Tcp::socket socket(self->io_);
    error_code error;
    socket.assign(ProtocolOf(fd.get()), fd.get(), error);
    if (error) return;
    static_cast<void>(fd.Release());
    self->Add(std::move(socket), std::move(received));
    if (self->draining_ && !self->open_.empty()) self->open_.back().Drain();
  });
}

void EventLoop::EndAdopting() {
  Post([self = shared_from_this()] {
    self->adopting_ = false;
    self->EndWhenEmpty();
  });
}

void EventLoop::Add(Tcp::socket socket, ByteBuffer received) {
  error_code error;
  const boost::asio::ip::address peer = socket.remote_endpoint(error).address();
  if (error) return;  // gone already
  if (!MakeRoom(peer)) {
    UniqueFd fd(socket.release(error));
    return OnNoRoom(std::move(fd));
  }
  socket.non_blocking(true, error);
  socket.set_option(Tcp::no_delay(true), error);
  std::unique_ptr<TlsSession> tls;
  if (share_.tls != nullptr) {
    tls = share_.tls->NewSession(socket.native_handle(), *share_.protocols);
    // No memory for a session: the socket closes here.
    if (tls == nullptr) return;
  }
  const std::shared_ptr<Connection> connection =
      Make(Stream(std::move(socket), std::move(tls), std::move(received)), peer);
  open_.push_back(*connection);
  ++open_per_peer_[peer];
  connection->Start();
}

bool EventLoop::MakeRoom(const boost::asio::ip::address& peer) {
  // The limit of one peer comes first, so that a peer that exceeds it loses a connection of its
  // own.
  const auto of_peer = open_per_peer_.find(peer);
  if (of_peer != open_per_peer_.end() && of_peer->second >= share_.connections_per_peer_max) {
    return CloseIdle(&peer);
  }
  return open_.size() < share_.connections_max || CloseIdle(nullptr);
}

void EventLoop::Remove(Connection& connection) {
  open_.erase(open_.iterator_to(connection));
  const auto of_peer = open_per_peer_.find(connection.peer());
  if (--of_peer->second == 0) open_per_peer_.erase(of_peer);
  // Posted behind the connection that an accept may have queued already.
  if (draining_) Post([self = shared_from_this()] { self->EndWhenEmpty(); });
}

void EventLoop::Tick() {
  now_ = SteadyClock::now();
  OnTick();
  // Closing one takes it out of the list, and only that one.
  for (auto it = open_.begin(); it != open_.end();) (it++)->OnTick(now_);
  timer_.expires_after(kTick);
  timer_.async_wait([self = shared_from_this()](const error_code& stopped) {
    if (!stopped) self->Tick();
  });
}

void EventLoop::Drain() {
  Post([self = shared_from_this()] {
    error_code error;
    while (self->acceptor_.is_open()) {
      Tcp::socket socket(self->io_);
      self->acceptor_.accept(socket, error);
      if (error) break;
      self->Add(std::move(socket));
    }
    self->draining_ = true;
    self->acceptor_.close(error);
    for (auto it = self->open_.begin(); it != self->open_.end();) (it++)->Drain();
    self->Post([self] { self->EndWhenEmpty(); });  // as in Remove
  });
}

void EventLoop::EndWhenEmpty() {
  if (!draining_ || adopting_ || !open_.empty()) return;
  OnDrained();
  io_.stop();
}

void EventLoop::Stop() { io_.stop(); }

void EventLoop::Finish() {
  {
    const MutexLock lock(post_mutex_);
    finished_ = true;
  }
  error_code ignored;
  acceptor_.close(ignored);
  work_.reset();
  // Delivers the cancelled operations, which hold the loop and its connections. A late Drain among
  // them stops the context once more, a late accept brings another connection, and a timer that was
  // due already is set again.
  do {
    timer_.cancel();
    accept_pause_.cancel();
    while (!open_.empty()) open_.front().Close();
    io_.restart();
  } while (io_.poll() != 0);
}

}  // namespace mlos::net
