// SPDX-License-Identifier: MIT
#include "api/ipc/socket/event_loop.h"

#include <sys/eventfd.h>

#include <cerrno>
#include <chrono>
#include <utility>

#include "base/files.h"

namespace mlos::api::ipc::socket {
namespace {

constexpr int kEventsMax = 64;
constexpr int kTickMs = 1000;
// Of one connection, between two looks at all of them. What is served counts for several: a client
// that is never idle keeps others waiting for no more than sixteen of its requests.
constexpr unsigned kPollsPerLook = 64;
constexpr unsigned kPollsPerServed = 4;
constexpr int kServed = -1;
constexpr int kDrainTickMs = 5;

std::int64_t NanosecondsSince(SteadyClock::time_point start) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(SteadyClock::now() - start).count();
}

}  // namespace

Result<std::unique_ptr<EventLoop>> EventLoop::Create(std::int64_t spin_ns) {
  UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  UniqueFd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!epoll.valid() || !wake.valid()) return ErrnoStatus(errno, "cannot make an event loop");
  epoll_event event{};
  event.events = EPOLLIN;
  if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, wake.get(), &event) != 0) {
    return ErrnoStatus(errno, "cannot make an event loop");
  }
  return std::unique_ptr<EventLoop>(new EventLoop(std::move(epoll), std::move(wake), spin_ns));
}

EventLoop::EventLoop(UniqueFd epoll, UniqueFd wake, std::int64_t spin_ns)
    : epoll_(std::move(epoll)),
      wake_(std::move(wake)),
      spin_(spin_ns),
      thread_([this] { Run(); }) {}

EventLoop::~EventLoop() { Stop(); }

void EventLoop::Stop() {
  if (!thread_.joinable()) return;
  stopping_.store(true);
  Post([] {});
  thread_.join();
}

void EventLoop::Post(std::function<void()> task) {
  {
    const MutexLock lock(mutex_);
    posted_.push_back(std::move(task));
  }
  const std::uint64_t one = 1;
  // Full means that a wake-up is under way already.
  [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof(one));
}

Status EventLoop::Add(std::shared_ptr<EventHandler> handler, int fd, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = handler.get();
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    return ErrnoStatus(errno, "cannot watch a connection");
  }
  EventHandler* const key = handler.get();
  handlers_.emplace(key, std::move(handler));
  return OkStatus();
}

void EventLoop::Remove(EventHandler& handler, int fd) {
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  const auto found = handlers_.find(&handler);
  if (found == handlers_.end()) return;
  if (latest_ == &handler) latest_ = nullptr;
  removed_.push_back(std::move(found->second));
  handlers_.erase(found);
}

void EventLoop::SetEvents(EventHandler& handler, int fd, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &handler;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
}

void EventLoop::ForEach(const std::function<void(EventHandler&)>& visit) {
  std::vector<std::shared_ptr<EventHandler>> all;
  all.reserve(handlers_.size());
  for (const auto& [key, handler] : handlers_) all.push_back(handler);
  for (const auto& handler : all) visit(*handler);
}

void EventLoop::Run() {
  epoll_event events[kEventsMax];
  while (!stopping_.load()) {
    const int count = Wait(events);
    Dispatch(events, count);
    Tick();
    removed_.clear();
  }
  handlers_.clear();
}

int EventLoop::TimeoutMs() const {
  if (draining_) return kDrainTickMs;
  return deadlines_.load() > 0 ? kTickMs : -1;
}

int EventLoop::Wait(epoll_event* events) {
  if (const int count = Poll(events); count != 0) return count;
  const SteadyClock::time_point start = SteadyClock::now();
  const int count = ::epoll_wait(epoll_.get(), events, kEventsMax, TimeoutMs());
  if (count > 0) spin_.Slept(NanosecondsSince(start));
  return count;
}

int EventLoop::Poll(epoll_event* events) {
  const std::int64_t budget_ns = spin_.budget_ns();
  if (budget_ns == 0) return 0;
  const SteadyClock::time_point start = SteadyClock::now();
  do {
    // A look at one connection is quicker than one at all of them, who must have their turn too.
    if (latest_ == nullptr || polls_ >= kPollsPerLook) {
      polls_ = 0;
      const int count = ::epoll_wait(epoll_.get(), events, kEventsMax, 0);
      if (count > 0) {
        spin_.Hit();
        return count;
      }
    } else if (latest_->OnPoll()) {
      polls_ += kPollsPerServed;
      spin_.Hit();
      return kServed;
    } else {
      ++polls_;
    }
  } while (NanosecondsSince(start) < budget_ns);
  spin_.Miss();
  return 0;
}

void EventLoop::Dispatch(const epoll_event* events, int count) {
  for (int i = 0; i < count; ++i) {
    auto* const handler = static_cast<EventHandler*>(events[i].data.ptr);
    if (handler == nullptr) {
      RunPosted();
    } else if (handlers_.contains(handler)) {
      // Not one that an earlier event of this round has removed.
      latest_ = handler;
      handler->OnEvents(events[i].events);
    }
  }
}

void EventLoop::RunPosted() {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = ::read(wake_.get(), &count, sizeof(count));
  std::vector<std::function<void()>> posted;
  {
    const MutexLock lock(mutex_);
    posted.swap(posted_);
  }
  for (const auto& task : posted) task();
}

void EventLoop::Tick() {
  const int timeout_ms = TimeoutMs();
  if (timeout_ms < 0) return;
  const SteadyClock::time_point now = SteadyClock::now();
  if (now - last_tick_ < std::chrono::milliseconds(timeout_ms)) return;
  last_tick_ = now;
  ForEach([now](EventHandler& handler) { handler.OnTick(now); });
}

}  // namespace mlos::api::ipc::socket
