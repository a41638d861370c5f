// SPDX-License-Identifier: MIT
#pragma once

#include <deque>
#include <memory>

#include "api/ipc/request.h"
#include "api/ipc/socket/event_loop.h"
#include "api/ipc/socket/frame_reader.h"
#include "base/mutex.h"
#include "base/unique_fd.h"
#include "net/progress_deadline.h"

namespace mlos::api::ipc {

/// A client's socket: reads frames on its loop's thread, takes answers from any.
class Connection : public socket::EventHandler,
                   public Channel,
                   public std::enable_shared_from_this<Connection> {
 public:
  /// Belongs to `loop`, which must outlive its last frame; `on_close` is called once.
  Connection(std::shared_ptr<Service> service, std::shared_ptr<Session> session, UniqueFd fd,
             socket::EventLoop& loop, std::function<void()> on_close);
  ~Connection() override;

  /// Joins the loop; on its thread.
  void Start();
  /// On the loop's thread: closes as soon as everything that was sent before is answered.
  void Drain();
  /// On the loop's thread: closes now.
  void Close();

  void Send(wire::ByteBuffer frame) override;
  void Fail(const Status& why) override;
  void OnEvents(std::uint32_t events) override;
  bool OnPoll() override;
  void OnTick(SteadyClock::time_point now) override;

 private:
  struct Outgoing {
    wire::ByteBuffer frame;
    std::size_t sent = 0;
  };

  void ReadSome();
  Status ReadFrames();
  Status Greet(const socket::Frame& frame);
  void End(const Status& why);
  void CloseIfDone();
  void Watch();

  bool Write(Outgoing& outgoing) REQUIRES(mutex_);
  void Flush() REQUIRES(mutex_);
  void UpdateEvents() REQUIRES(mutex_);
  bool outbox_full() const REQUIRES(mutex_);

  const std::shared_ptr<Service> service_;
  const std::shared_ptr<Session> session_;
  socket::EventLoop& loop_;
  std::function<void()> on_close_;

  // Of the loop's thread.
  socket::FrameReader reader_;
  bool greeted_ = false;
  bool ending_ = false;                  // reads no more, closes when what is to be sent is sent
  bool draining_ = false;                // closes when nothing is in flight
  bool watched_ = false;                 // counted among the loop's deadlines
  net::ProgressDeadline read_deadline_;  // of the hello, and of each frame

  Mutex mutex_;
  UniqueFd fd_ GUARDED_BY(mutex_);
  std::deque<Outgoing> outbox_ GUARDED_BY(mutex_);
  std::size_t outbox_bytes_ GUARDED_BY(mutex_) = 0;
  SteadyClock::time_point write_since_ GUARDED_BY(mutex_);
  std::uint32_t events_ GUARDED_BY(mutex_) = 0;
  bool reading_ GUARDED_BY(mutex_) = true;
  bool broken_ GUARDED_BY(mutex_) = false;
};

}  // namespace mlos::api::ipc
