// SPDX-License-Identifier: MIT
#include "api/door/workers.h"

#include <atomic>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <list>
#include <string>
#include <utility>

#include "base/mutex.h"
#include "base/threads.h"

namespace mlos::api::door {
namespace {

// Loads use several cores each; more of them at once only wait for each other.
constexpr std::size_t kLoaderThreads = 2;
// Hashing the files of a model that is known takes a core, and unloading waits for the disk.
constexpr std::size_t kManagerThreads = 4;

}  // namespace

/// A load is in `waiting_` until its turn comes, its time is up, or never: of those two, whoever
/// takes it out of the list runs its task.
class Workers::Impl {
 public:
  void Post(Executor executor, std::function<void()> work) {
    if (joined_ || executor == Executor::kEventThread) return work();
    boost::asio::post(executor == Executor::kManager ? managers_ : workers_, std::move(work));
  }

  void Load(Deadline deadline, Task task) {
    Status refusal = Enqueue(deadline, task);
    if (!refusal.ok()) return task(std::move(refusal));
    boost::asio::post(loaders_, [this] {
      if (const auto load = TakeFirst()) load->task(OkStatus());
    });
  }

  void Join() {
    {
      const MutexLock lock(mutex_);
      closed_ = true;
    }
    loaders_.join();
    managers_.join();
    workers_.join();
    joined_ = true;
  }

 private:
  struct Waiting {
    Waiting(boost::asio::thread_pool& timers, Task given) : task(std::move(given)), timer(timers) {}
    Task task;
    boost::asio::steady_timer timer;
  };
  using LoadPtr = std::shared_ptr<Waiting>;

  Status Enqueue(Deadline deadline, Task& task) {
    const MutexLock lock(mutex_);
    if (closed_) return {Reason::kDraining, "Core is shutting down"};
    if (waiting_.size() >= kLoadsWaitingMax) {
      return {Reason::kOverloaded,
              std::to_string(kLoadsWaitingMax) + " loads wait already; try again later"};
    }
    // What is refused keeps its task.
    const auto load = std::make_shared<Waiting>(managers_, std::move(task));
    waiting_.push_back(load);
    if (deadline == kNoDeadline) return OkStatus();
    load->timer.expires_at(deadline);
    load->timer.async_wait([this, load](const boost::system::error_code& cancelled) {
      if (!cancelled && TakeOut(load)) {
        load->task(Status(Reason::kDeadlineExceeded,
                          "the deadline passed while the request waited for other loads"));
      }
    });
    return OkStatus();
  }

  /// Null if the time of all that waited was up.
  LoadPtr TakeFirst() {
    const MutexLock lock(mutex_);
    if (waiting_.empty()) return nullptr;
    LoadPtr first = std::move(waiting_.front());
    waiting_.pop_front();
    first->timer.cancel();
    return first;
  }

  bool TakeOut(const LoadPtr& load) {
    const MutexLock lock(mutex_);
    return std::erase(waiting_, load) != 0;
  }

  std::atomic<bool> joined_{false};
  Mutex mutex_;
  std::list<LoadPtr> waiting_ GUARDED_BY(mutex_);
  bool closed_ GUARDED_BY(mutex_) = false;
  boost::asio::thread_pool workers_{CoreCount()};
  boost::asio::thread_pool managers_{kManagerThreads};
  boost::asio::thread_pool loaders_{kLoaderThreads};
  // The first timer of a pool opens descriptors, and throws if there is none left: not while Core
  // serves.
  boost::asio::steady_timer first_timer_{managers_};
};

Workers::Workers() : impl_(std::make_unique<Impl>()) {}
Workers::~Workers() { Join(); }

void Workers::Run(Executor executor, Deadline deadline, Task task) {
  if (executor == Executor::kEventThread) return task(OkStatus());
  if (executor == Executor::kLoader) return impl_->Load(deadline, std::move(task));
  impl_->Post(executor, [task = std::move(task)] { task(OkStatus()); });
}

void Workers::Post(Executor executor, std::function<void()> work) {
  impl_->Post(executor, std::move(work));
}

void Workers::Join() { impl_->Join(); }

}  // namespace mlos::api::door
