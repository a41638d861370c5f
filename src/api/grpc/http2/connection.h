// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "api/grpc/http2/connection_host.h"
#include "api/grpc/http2/session.h"
#include "base/clock.h"
#include "net/stream_connection.h"

namespace mlos::api::grpc::http2 {

/// One connection of a caller: moves bytes between its socket and its session, and closes what is
/// idle or does not get on. While it is open:
///
///     OnOpen ──► serving ──OnDrain──► announced ──ticks──► drained ──last stream ended──► Linger
///                   │                     │                                                 ▲
///                   └─────────────────────┴──── the session is over, by either side ────────┘
///
/// serving: streams come and go. The session is terminated if the preface or a header block hangs,
///     and after `idle_timeout_ms` without a stream. If there are streams but no byte comes for as
///     long, the peer is pinged, and has to answer.
/// announced: the peer was told that the end is near; streams that it had asked for are taken.
/// drained: the peer was told which stream is the last.
///
/// Everything but the StreamPort happens on the thread of the event loop.
class Connection final : public StreamPort, public net::StreamConnection {
 public:
  Connection(ConnectionHost& loop, net::Stream stream, boost::asio::ip::address peer);
  ~Connection() override;

  void Send(std::int32_t stream_id, Part part) override;
  void Consume(std::int32_t stream_id, std::size_t count) override;
  void Cancel(std::int32_t stream_id) override;
  void Post(std::function<void()> task) override;
  bool RunsHere() override;
  resource::ByteBudget& budget() override { return account_.budget(); }

  /// Has no stream open.
  bool idle() const { return session_ == nullptr || session_->open_streams() == 0; }

 private:
  /// What the session has produced and the socket not yet taken.
  struct Outbox {
    bool empty() const { return sent == bytes.size(); }
    boost::asio::const_buffer buffers() const { return {bytes.data() + sent, bytes.size() - sent}; }
    void Consume(std::size_t count) {
      sent += count;
      if (!empty()) return;
      bytes.Clear();
      sent = 0;
    }

    net::ByteBuffer bytes;
    std::size_t sent = 0;
  };

  void OnOpen() override;
  void OnRead(std::size_t count) override;
  void OnWritable() override;
  void CheckDeadlines(SteadyClock::time_point now) override;
  /// Takes no further stream, and closes after the last one.
  void OnDrain() override;
  bool OpenAwaitsPeer() const override;
  void OnClose() override;

  void ReadOn();
  /// Sends what the session produces, until the socket takes no more.
  void Flush();
  /// Runs `task` here and now or soon on the loop's thread, then sends what came of it.
  template <typename Task>
  void Do(Task task);
  void CheckHanging(SteadyClock::time_point now);
  void CheckIdle(SteadyClock::time_point now);
  void GoOnDraining();
  void ShrinkBuffers();
  std::shared_ptr<Connection> Self() {
    return std::static_pointer_cast<Connection>(shared_from_this());
  }

  ConnectionHost& loop_;
  const resource::Accounts::Lease account_;
  std::unique_ptr<Session> session_;
  std::string read_buffer_;
  Outbox outbox_;

  bool working_ = false;          ///< inside of a callback that will flush
  bool announced_ = false;        ///< the peer has had time to hear that the end is near
  bool drained_ = false;          ///< the last stream has been named
  std::int32_t last_stream_ = 0;  ///< at the last tick
  bool pinged_ = false;
  bool moved_ = true;  ///< bytes came since the last tick
  Deadline hanging_deadline_ = kNoDeadline;
  Deadline idle_deadline_ = kNoDeadline;
};

}  // namespace mlos::api::grpc::http2
