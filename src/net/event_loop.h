// SPDX-License-Identifier: MIT
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>
#include <cstdint>
#include <list>
#include <memory>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "net/connection.h"
#include "net/listener.h"

namespace mlos::net {

/// One thread's share of a door: its listening sockets, its connections and their deadlines. Loops
/// share no state, so requests pass without a lock. A door derives its own loop, which makes
/// connections of the sockets that are accepted.
///
/// Life of a loop:
///
///     Run ──► serving ──Drain──► draining ──last connection closed──► ended ──► Finish
///                │                  │                                   ▲
///                └──────Stop────────┴── drops requests in progress ─────┘
///
/// Run, Post, RunsHere, EndAdopting, Drain, Stop and Finish may be called from any thread; the rest
/// belongs to the thread in Run.
class EventLoop : public Loop, public std::enable_shared_from_this<EventLoop> {
 public:
  void Run() final;
  void Drain() final;
  void Stop() final;
  void Finish() final;

  /// Runs `task` on the loop's thread, soon; never once the loop is finished.
  template <typename Task>
  void Post(Task task) {
    const MutexLock lock(post_mutex_);
    if (!finished_) boost::asio::post(io_, std::move(task));
  }
  bool RunsHere() { return io_.get_executor().running_in_this_thread(); }

  /// Instead of AcceptOn: another loop accepts the connections. Before Run.
  void AwaitConnections() { adopting_ = true; }
  /// No more connections will be handed over, so that a drained loop may end. From any thread.
  void EndAdopting();

  /// The time of the last tick; a quarter of a second old at most.
  SteadyClock::time_point now() const { return now_; }

 protected:
  using OpenList = boost::intrusive::list<Connection, boost::intrusive::base_hook<OpenHook>>;

  /// `door` is what the log calls it, of static lifetime.
  explicit EventLoop(std::string_view door);

  /// Takes a listening socket over, on which it will accept, beside earlier ones. Before Run.
  /// IO_ERROR.
  Status AcceptOn(UniqueFd listening);
  /// Starts `connection`, which is open from now on, until Forget.
  void Add(const std::shared_ptr<Connection>& connection);
  void Forget(Connection& connection);
  /// Longest open first.
  OpenList& open() { return open_; }
  boost::asio::io_context& io() { return io_; }

  /// A socket was accepted; it is non-blocking.
  virtual void OnAccept(UniqueFd socket) = 0;
  /// The process has no file descriptor left for another connection, so one that is idle may go.
  virtual void OnNoDescriptor() {}
  /// A socket was accepted with the descriptor in reserve, since nothing idle could be closed for
  /// it. A loop that can do with it what its client wants takes it and closes it soon. Otherwise
  /// its client at least sees that it is refused.
  virtual void ServeInNeed(UniqueFd& /*socket*/) {}
  /// The descriptor in reserve is in use, and there is no other.
  bool in_need() { return !TakeReserve(); }
  /// Runs what there is to do until the loop ends.
  virtual void Serve() { io_.run(); }
  /// A drained loop will accept no more.
  virtual void OnAcceptingEnded() {}
  /// The last connection of the drained loop is gone.
  virtual void OnDrained() {}
  /// Every quarter second, before the connections' deadlines.
  virtual void OnTick() {}

 private:
  enum class Accepted : std::uint8_t { kOne, kNone, kNoDescriptor, kFailed };

  /// A listening socket, and the time to wait before the next accept on it.
  struct ListenPoint {
    explicit ListenPoint(boost::asio::io_context& io) : listening(io), pause(io) {}

    boost::asio::posix::stream_descriptor listening;
    boost::asio::steady_timer pause;
    unsigned no_descriptor = 0;  ///< how often in a row
  };

  void Accept(ListenPoint& point);
  Accepted AcceptOne(ListenPoint& point);
  void OnNoDescriptorFor(ListenPoint& point);
  bool TakeReserve();
  void PauseAccepting(ListenPoint& point);
  bool EndAccepting(ListenPoint& point);
  void Tick();
  void EndWhenEmpty();

  const std::string_view door_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::list<ListenPoint> listen_points_;  ///< their addresses stay
  /// Any descriptor. It is closed to accept one more connection where the process has none left.
  UniqueFd reserve_;
  boost::asio::steady_timer timer_;
  SteadyClock::time_point now_ = SteadyClock::now();
  bool draining_ = false;
  bool adopting_ = false;  ///< connections may come from another loop
  OpenList open_;

  Mutex post_mutex_;
  bool finished_ GUARDED_BY(post_mutex_) = false;
};

}  // namespace mlos::net
