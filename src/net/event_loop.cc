// SPDX-License-Identifier: MIT
#include "net/event_loop.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

#include "base/files.h"
#include "base/log.h"

namespace mlos::net {
namespace {

using boost::system::error_code;

// Timeouts are seconds long, so one look a quarter second at all connections replaces a timer each.
constexpr auto kTick = std::chrono::milliseconds(250);
// Whether a connection has nothing left to do is found by looking, and somebody waits for the last.
constexpr auto kTickWhileDraining = std::chrono::milliseconds(5);
// Accepting pauses for this time if the process has no file descriptor left. It is also what a
// health check waits for, once for each connection before it.
constexpr auto kAcceptPause = std::chrono::milliseconds(10);
// Of the connections that wait when the loop drains: who keeps coming does not hold it.
constexpr int kLastAcceptsMax = 8192;

UniqueFd AcceptSocket(int listening) {
  return UniqueFd(::accept4(listening, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
}

}  // namespace

EventLoop::EventLoop(std::string_view door)
    : door_(door), work_(boost::asio::make_work_guard(io_)), timer_(io_) {}

Status EventLoop::AcceptOn(UniqueFd listening) {
  error_code error;
  auto& descriptor = listen_points_.emplace_back(io_).listening;
  descriptor.assign(listening.get(), error);
  if (!error) static_cast<void>(listening.Release());
  if (!error) descriptor.non_blocking(true, error);
  if (error) return {Reason::kIoError, "cannot listen: " + error.message()};
  if (!TakeReserve()) return ErrnoStatus(errno, "cannot keep a file descriptor in reserve");
  return OkStatus();
}

bool EventLoop::TakeReserve() {
  if (!reserve_.valid()) reserve_ = UniqueFd(::eventfd(0, EFD_CLOEXEC));
  return reserve_.valid();
}

void EventLoop::Run() {
  Tick();
  for (ListenPoint& point : listen_points_) Accept(point);
  Serve();
}

// One at a time: who has connected before is read from first, and is not taken for idle.
void EventLoop::Accept(ListenPoint& point) {
  if (!point.listening.is_open()) return;
  point.listening.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                             [self = shared_from_this(), &point](const error_code& stopped) {
                               if (stopped || self->draining_) return;
                               const Accepted accepted = self->AcceptOne(point);
                               if (accepted == Accepted::kOne || accepted == Accepted::kNone) {
                                 return self->Accept(point);
                               }
                               if (accepted == Accepted::kNoDescriptor) {
                                 self->OnNoDescriptorFor(point);
                               }
                               self->PauseAccepting(point);
                             });
}

EventLoop::Accepted EventLoop::AcceptOne(ListenPoint& point) {
  // A descriptor that has become free is the reserve's first.
  if (!TakeReserve()) return Accepted::kNoDescriptor;
  UniqueFd socket = AcceptSocket(point.listening.native_handle());
  if (socket.valid()) {
    point.no_descriptor = 0;
    OnAccept(std::move(socket));
    return Accepted::kOne;
  }
  if (errno == EMFILE || errno == ENFILE) return Accepted::kNoDescriptor;
  // Another loop was quicker, or the client is gone already.
  const bool none = errno == EAGAIN || errno == EINTR || errno == ECONNABORTED;
  return none ? Accepted::kNone : Accepted::kFailed;
}

// In turn: somebody idle may have to go for the connection, or else it has the reserve. If the
// reserve is still in use, its user may be idle by now.
void EventLoop::OnNoDescriptorFor(ListenPoint& point) {
  if (point.no_descriptor == 0) {
    Log(LogLevel::kWarning, "no file descriptor left for another connection",
        {{"door", door_}, {"open", open_.size()}});
  }
  if (point.no_descriptor++ % 2 == 0 || !reserve_.valid()) return OnNoDescriptor();
  reserve_.Reset();
  UniqueFd socket = AcceptSocket(point.listening.native_handle());
  if (socket.valid()) ServeInNeed(socket);
  // In one step: between closing it and taking the reserve, another loop could accept.
  if (socket.valid() && ::dup3(point.listening.native_handle(), socket.get(), O_CLOEXEC) >= 0) {
    reserve_ = std::move(socket);
  }
  TakeReserve();
}

// Without a pause, a full table of descriptors would keep this loop busy with failing accepts.
void EventLoop::PauseAccepting(ListenPoint& point) {
  point.pause.expires_after(kAcceptPause);
  point.pause.async_wait([self = shared_from_this(), &point](const error_code& stopped) {
    if (!stopped) self->Accept(point);
  });
}

// Takes the connections that wait, and closes the socket. False if it was closed before.
bool EventLoop::EndAccepting(ListenPoint& point) {
  if (!point.listening.is_open()) return false;
  for (int i = 0; i < kLastAcceptsMax && AcceptOne(point) == Accepted::kOne; ++i) {
  }
  error_code ignored;
  point.listening.close(ignored);
  reserve_.Reset();  // it may be the same socket
  return true;
}

void EventLoop::Add(const std::shared_ptr<Connection>& connection) {
  open_.push_back(*connection);
  connection->Start();
  // It was accepted before the drain began, and is treated like the others.
  if (draining_) connection->Drain();
}

void EventLoop::Forget(Connection& connection) {
  open_.erase(open_.iterator_to(connection));
  // Posted behind the connection that another loop may have handed over already.
  if (draining_) Post([self = shared_from_this()] { self->EndWhenEmpty(); });
}

void EventLoop::Tick() {
  now_ = SteadyClock::now();
  OnTick();
  // Closing one takes it out of the list, and only that one.
  for (auto it = open_.begin(); it != open_.end();) (it++)->OnTick(now_);
  timer_.expires_after(draining_ ? kTickWhileDraining : kTick);
  timer_.async_wait([self = shared_from_this()](const error_code& stopped) {
    if (!stopped) self->Tick();
  });
}

void EventLoop::Drain() {
  Post([self = shared_from_this()] {
    bool ended = false;
    for (ListenPoint& point : self->listen_points_) ended |= self->EndAccepting(point);
    if (ended) self->OnAcceptingEnded();
    self->draining_ = true;
    for (auto it = self->open_.begin(); it != self->open_.end();) (it++)->Drain();
    self->Tick();
    self->Post([self] { self->EndWhenEmpty(); });  // as in Forget
  });
}

void EventLoop::EndAdopting() {
  Post([self = shared_from_this()] {
    self->adopting_ = false;
    self->EndWhenEmpty();
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
  for (ListenPoint& point : listen_points_) point.listening.close(ignored);
  work_.reset();
  // Delivers the cancelled operations, which hold the loop and its connections. A late Drain among
  // them stops the context once more, a late accept brings another connection, and a timer that was
  // due already is set again.
  do {
    timer_.cancel();
    for (ListenPoint& point : listen_points_) point.pause.cancel();
    while (!open_.empty()) open_.front().Close();
    io_.restart();
  } while (io_.poll() != 0);
}

}  // namespace mlos::net
