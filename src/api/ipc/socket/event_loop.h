// SPDX-License-Identifier: MIT
#pragma once

#include <sys/epoll.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <unordered_map>
#include <vector>

#include "api/ipc/socket/spin.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace mlos::api::ipc::socket {

/// Something with a descriptor that a loop looks after. Its methods are called on the loop's
/// thread.
class EventHandler {
 public:
  EventHandler() = default;
  EventHandler(const EventHandler&) = delete;
  EventHandler& operator=(const EventHandler&) = delete;
  virtual ~EventHandler() = default;

  /// `events` as epoll has them.
  virtual void OnEvents(std::uint32_t events) = 0;
  /// Asked while the loop polls: reads what has come, without an event; true where something had.
  virtual bool OnPoll() { return false; }
  /// About once a second while the loop has deadlines to watch, and often while it drains.
  virtual void OnTick(SteadyClock::time_point now) = 0;
};

/// A thread over an epoll that polls for a while before it sleeps. Post, SetEvents and
/// WatchDeadlines are thread-safe; the rest is for the loop's thread.
class EventLoop {
 public:
  static Result<std::unique_ptr<EventLoop>> Create(std::int64_t spin_ns);
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;
  /// Stops.
  ~EventLoop();

  /// Ends the thread, and drops the handlers and what was posted and not run. Not on that thread.
  void Stop();
  void Post(std::function<void()> task);

  Status Add(std::shared_ptr<EventHandler> handler, int fd, std::uint32_t events);
  /// The handler lives until the present round of events is over.
  void Remove(EventHandler& handler, int fd);
  void SetEvents(EventHandler& handler, int fd, std::uint32_t events);
  /// Adds to the number of deadlines that somebody has.
  void WatchDeadlines(int change) { deadlines_.fetch_add(change); }
  /// From now on there are ticks every few milliseconds.
  void set_draining() { draining_ = true; }
  std::size_t handler_count() const { return handlers_.size(); }
  void ForEach(const std::function<void(EventHandler&)>& visit);

 private:
  EventLoop(UniqueFd epoll, UniqueFd wake, std::int64_t spin_ns);
  void Run();
  /// The number of events, or -1 where what had come has been read already.
  int Wait(epoll_event* events);
  int Poll(epoll_event* events);
  int TimeoutMs() const;
  void Dispatch(const epoll_event* events, int count);
  void RunPosted();
  void Tick();

  const UniqueFd epoll_;
  const UniqueFd wake_;
  SpinPolicy spin_;
  std::unordered_map<EventHandler*, std::shared_ptr<EventHandler>> handlers_;
  std::vector<std::shared_ptr<EventHandler>> removed_;
  // Had the last event: whoever polls is likely to be the next.
  EventHandler* latest_ = nullptr;
  unsigned polls_ = 0;  // since the last look at all of them
  SteadyClock::time_point last_tick_ = SteadyClock::now();
  bool draining_ = false;
  std::atomic<int> deadlines_{0};
  std::atomic<bool> stopping_{false};

  Mutex mutex_;
  std::vector<std::function<void()>> posted_ GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace mlos::api::ipc::socket
