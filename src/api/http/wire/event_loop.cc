// SPDX-License-Identifier: MIT
#include "api/http/wire/event_loop.h"

#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <utility>
#include <vector>

#include "base/log.h"

namespace mlos::api::http::wire {
namespace {

using boost::system::error_code;

// Timeouts are seconds long, so one look a quarter second at all connections replaces a timer each.
constexpr auto kTick = std::chrono::milliseconds(250);
// How long accepting rests where the process has no file descriptor left.
constexpr auto kAcceptPause = std::chrono::milliseconds(100);

// RFC 9110, section 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT".
std::string HttpDate(std::int64_t unix_seconds) {
  constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto seconds = static_cast<std::time_t>(unix_seconds);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char rest[32];
  std::strftime(rest, sizeof(rest), " %Y %H:%M:%S GMT", &parts);
  const std::string day = std::to_string(100 + parts.tm_mday).substr(1);
  return std::string(kDays[parts.tm_wday]) + ", " + day + " " + kMonths[parts.tm_mon] + rest;
}

}  // namespace

EventLoop::EventLoop(const Limits& limits, std::shared_ptr<Handler> handler)
    : ConnectionHost(limits, std::move(handler)),
      work_(boost::asio::make_work_guard(io_)),
      acceptor_(io_),
      timer_(io_),
      accept_pause_(io_) {
  UpdateTime();
}

Result<std::shared_ptr<EventLoop>> EventLoop::Create(UniqueFd listening, const Limits& limits,
                                                     std::shared_ptr<Handler> handler) {
  std::shared_ptr<EventLoop> loop(new EventLoop(limits, std::move(handler)));
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  error_code error;
  getsockname(listening.get(), reinterpret_cast<sockaddr*>(&address), &size);
  loop->acceptor_.assign(address.ss_family == AF_INET6 ? Tcp::v6() : Tcp::v4(), listening.Release(),
                         error);
  if (!error) loop->acceptor_.non_blocking(true, error);
  if (error) return Status(Reason::kIoError, "cannot listen: " + error.message());
  loop->set_listens_on_any(loop->acceptor_.local_endpoint(error).address().is_unspecified());
  return loop;
}

void EventLoop::Run() {
  Tick();
  Accept();
  io_.run();
}

void EventLoop::Accept() {
  if (draining_) return;
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
        {{"open", open_.size()}});
    CloseLongestWaiting(nullptr);
  }
  accept_pause_.expires_after(kAcceptPause);
  accept_pause_.async_wait([self = shared_from_this()](const error_code& stopped) {
    if (!stopped) self->Accept();
  });
}

void EventLoop::Add(Tcp::socket socket) {
  error_code error;
  const boost::asio::ip::address peer = socket.remote_endpoint(error).address();
  if (error || !MakeRoom(peer)) return;  // gone already, or every connection is at work
  const auto connection = std::make_shared<Connection>(shared_from_this(), std::move(socket), peer);
  open_.push_back(*connection);
  ++open_per_peer_[peer];
  connection->Start();
}

bool EventLoop::MakeRoom(const boost::asio::ip::address& peer) {
  const auto of_peer = open_per_peer_.find(peer);
  if (of_peer != open_per_peer_.end() && of_peer->second >= limits().connections_per_peer_max) {
    return CloseLongestWaiting(&peer);
  }
  return open_.size() < limits().connections_max || CloseLongestWaiting(nullptr);
}

bool EventLoop::CloseLongestWaiting(const boost::asio::ip::address* peer) {
  const auto found = std::find_if(waiting_.begin(), waiting_.end(), [&](const Connection& waiting) {
    return peer == nullptr || waiting.peer() == *peer;
  });
  if (found == waiting_.end()) return false;
  found->Close();
  return true;
}

void EventLoop::Deliver(std::shared_ptr<Connection> connection, std::uint64_t number, Reply reply) {
  Post([connection = std::move(connection), number, reply = std::move(reply)]() mutable {
    connection->OnReply(number, std::move(reply));
  });
}

void EventLoop::Wake(std::shared_ptr<Connection> connection, std::uint64_t number) {
  Post([connection = std::move(connection), number] { connection->OnWake(number); });
}

void EventLoop::EnterWaiting(Connection& connection) { waiting_.push_back(connection); }

void EventLoop::LeaveWaiting(Connection& connection) {
  if (connection.WaitingHook::is_linked()) waiting_.erase(waiting_.iterator_to(connection));
}

void EventLoop::Remove(Connection& connection) {
  LeaveWaiting(connection);
  open_.erase(open_.iterator_to(connection));
  const auto of_peer = open_per_peer_.find(connection.peer());
  if (--of_peer->second == 0) open_per_peer_.erase(of_peer);
  EndWhenEmpty();
}

void EventLoop::Tick() {
  UpdateTime();
  // Closing one takes it out of the list, and only that one.
  for (auto it = open_.begin(); it != open_.end();) (it++)->OnTick(now());
  timer_.expires_after(kTick);
  timer_.async_wait([self = shared_from_this()](const error_code& stopped) {
    if (!stopped) self->Tick();
  });
}

void EventLoop::UpdateTime() {
  set_time(SteadyClock::now());
  const std::int64_t seconds = UnixSecondsNow();
  if (seconds == date_seconds_) return;
  date_seconds_ = seconds;
  set_date(HttpDate(seconds));
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
    // After what the last accept may have brought, which is in the queue already.
    self->Post([self] { self->EndWhenEmpty(); });
  });
}

void EventLoop::EndWhenEmpty() {
  if (draining_ && open_.empty()) io_.stop();
}

void EventLoop::Stop() { io_.stop(); }

void EventLoop::Finish() {
  {
    const MutexLock lock(post_mutex_);
    finished_ = true;
  }
  error_code ignored;
  acceptor_.close(ignored);
  timer_.cancel();
  accept_pause_.cancel();
  while (!open_.empty()) open_.front().Close();
  work_.reset();
  // Delivers the cancelled operations, which hold the connections. A late Drain among them stops
  // the context once more.
  do {
    io_.restart();
  } while (io_.poll() != 0);
}

}  // namespace mlos::api::http::wire
