// SPDX-License-Identifier: MIT
#pragma once

#include <boost/asio/local/stream_protocol.hpp>
#include <cstdint>
#include <deque>
#include <memory>

#include "api/ipc/polling_loop.h"
#include "api/ipc/request.h"
#include "api/ipc/socket/frame_reader.h"
#include "base/mutex.h"
#include "net/progress_deadline.h"

namespace mlos::api::ipc {

/// A client's socket. Frames are read on the loop's thread; answers are written by whoever has
/// them, on its own thread, so that no answer waits for the loop. What the socket does not take
/// waits in the outbox, and the loop sends it.
///
///     Start ──► hello ──a hello──► open ──End──► ending ──all is sent──► closed
///                 │                 │              │                       ▲
///                 └─────────────────┴──────────────┴── gone, or too late ──┘
///
/// ending: by a fault of the client, or because it is idle for long or has to make room. While the
/// loop drains, an open connection closes as soon as nothing it asked for is in flight. Send, Fail
/// and Leave may be called from any thread; the rest belongs to the loop's.
class Connection : public Polled,
                   public Channel,
                   public Link,
                   public std::enable_shared_from_this<Connection> {
 public:
  using Socket = boost::asio::local::stream_protocol::socket;

  Connection(std::shared_ptr<Service> service, std::shared_ptr<Session> session, Socket socket,
             PollingLoop& loop);

  void Start() override;
  void OnTick(SteadyClock::time_point now) override;
  /// Closes as soon as everything that was sent before is answered.
  void Drain() override;
  void Close() override;
  void ReadSome() override;

  void Send(wire::ByteBuffer frame) override;
  void Fail(const Status& why) override;
  void Leave(const Status& why) override;

 private:
  struct Outgoing {
    wire::ByteBuffer frame;
    std::size_t sent = 0;
  };

  enum class Outbox : std::uint8_t { kEmpty, kWaiting, kBroken };

  void AwaitReadable();
  void AwaitWritable();
  void OnWritable();
  Status ReceiveSome();
  Status ReadFrames();
  Status Greet(const socket::Frame& frame);
  void Refuse(const Status& why);
  void End(const Status& why);
  void EndIfIdle(SteadyClock::time_point now);
  void CloseIfDone();

  bool Write(Outgoing& outgoing) REQUIRES(mutex_);
  Outbox Flush();
  bool outbox_full();

  // Declared first, so that it dies last: the socket belongs to its io_context.
  const std::shared_ptr<PollingLoop> loop_;
  const std::shared_ptr<Service> service_;
  const std::shared_ptr<Session> session_;

  // Of the loop's thread.
  Socket socket_;
  std::shared_ptr<Connection> self_;  ///< keeps it alive until it is closed
  socket::FrameReader reader_;
  bool greeted_ = false;
  bool ending_ = false;  ///< reads no more, and closes once what is to be sent is sent
  bool draining_ = false;
  bool awaiting_readable_ = false;
  bool awaiting_writable_ = false;
  net::ProgressDeadline read_deadline_;  ///< of the hello, and of each frame
  net::ProgressDeadline write_deadline_;

  Mutex mutex_;
  int fd_ GUARDED_BY(mutex_);  ///< the socket's; -1 once nothing can be sent
  std::deque<Outgoing> outbox_ GUARDED_BY(mutex_);
  std::size_t outbox_bytes_ GUARDED_BY(mutex_) = 0;
  std::uint64_t sent_bytes_ GUARDED_BY(mutex_) = 0;
};

}  // namespace mlos::api::ipc
