// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "api/grpc/http2/connection_host.h"
#include "api/grpc/http2/session.h"
#include "base/clock.h"

namespace mlos::api::grpc::http2 {

/// One connection of a caller: moves bytes between its socket and its session, and closes what is
/// idle or does not get on. Everything but the StreamPort happens on the thread of the event loop.
/// It lives until it is closed and no operation or call holds it.
class Connection final : public StreamPort,
                         public net::Connection,
                         public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::shared_ptr<ConnectionHost> loop, net::Stream stream,
             boost::asio::ip::address peer);
  ~Connection() override;

  void Start() override;
  void OnTick(SteadyClock::time_point now) override;
  /// Takes no further stream, and closes after the last one.
  void Drain() override;
  void Close() override;

  void Send(std::int32_t stream_id, Part part) override;
  void Consume(std::int32_t stream_id, std::size_t count) override;
  void Cancel(std::int32_t stream_id) override;
  void Post(std::function<void()> task) override;
  bool RunsHere() override;

  /// Has no stream open.
  bool idle() const { return session_ == nullptr || session_->open_streams() == 0; }

 private:
  /// What follows once bytes can be exchanged.
  void Begin();
  void Read();
  void OnRead(std::size_t count);
  /// Runs `task` here and now or soon on the loop's thread, then sends what came of it.
  template <typename Task>
  void Do(Task task);
  void Flush();
  /// True once everything is written.
  bool Write();
  void WaitWritable();
  void Linger();
  void CheckIdle(SteadyClock::time_point now);
  void GoOnDraining();
  void ShrinkBuffers();

  // Declared first, so that it dies last: the stream belongs to its io_context.
  const std::shared_ptr<ConnectionHost> loop_;
  net::Stream stream_;
  /// Keeps it alive until it is closed.
  std::shared_ptr<Connection> self_;

  std::unique_ptr<Session> session_;
  std::string read_buffer_;
  net::ByteBuffer out_;
  std::size_t written_ = 0;  ///< bytes at the beginning of out_ that have been sent

  bool working_ = false;          ///< inside of a callback that will flush
  bool writing_ = false;          ///< an operation waits until the socket takes more
  bool lingering_ = false;        ///< reads away what comes, so that the peer sees our last words
  bool reading_ = false;          ///< an operation reads
  bool draining_ = false;         ///< the peer was told that the end is near
  bool announced_ = false;        ///< it has had time to hear it
  bool drained_ = false;          ///< the last stream has been named
  std::int32_t last_stream_ = 0;  ///< at the last tick
  bool pinged_ = false;
  bool moved_ = true;  ///< bytes came since the last tick
  Deadline read_deadline_ = kNoDeadline;
  Deadline idle_deadline_ = kNoDeadline;
  Deadline write_deadline_ = kNoDeadline;
  std::size_t write_mark_ = 0;  ///< bytes written since the deadline was set
  std::size_t linger_bytes_ = 0;
};

}  // namespace mlos::api::grpc::http2
