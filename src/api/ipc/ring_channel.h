// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <thread>

#include "api/ipc/memory/ring.h"
#include "api/ipc/request.h"
#include "api/ipc/socket/spin.h"
#include "base/mutex.h"

namespace mlos::api::ipc {

/// A ring and the thread that serves it: polls for a while, then sleeps on the ring's bell. A
/// breach of the protocol ends the connection it belongs to. Thread-safe.
class RingChannel : public Channel,
                    public Attachment,
                    public std::enable_shared_from_this<RingChannel> {
 public:
  /// `origin` is the connection that brought it. Takes a place among the rings over, which was
  /// taken for it.
  RingChannel(Origin origin, memory::Ring ring);
  ~RingChannel() override;

  void Start();
  /// Lets the thread end, before long and whatever the client does to the ring; its last request
  /// may still be answered.
  void Stop() override;
  bool has_unsent() const override { return full_.load(); }

  void Send(wire::ByteBuffer frame) override;
  void Fail(const Status& why) override { origin_.channel->Fail(why); }

 private:
  void Serve();
  void EndThread();
  Status ServeWaiting();
  Status TakeOne();
  void Wait();
  bool Spin();
  bool AwakeSoon();
  /// There is something to do, or to end for.
  bool Awake() const;
  /// Moves what waits for room into the ring as far as there is some.
  Status Flush() REQUIRES(mutex_);

  const Origin origin_;
  memory::Ring ring_;
  socket::SpinPolicy spin_;
  std::atomic<bool> stopping_{false};

  Mutex mutex_;
  std::deque<wire::ByteBuffer> outbox_ GUARDED_BY(mutex_);
  // Whether answers wait in outbox_ for room in the ring.
  std::atomic<bool> full_{false};
  std::thread thread_ GUARDED_BY(mutex_);
  std::atomic<std::thread::id> server_;  ///< the thread, once it serves
};

}  // namespace mlos::api::ipc
