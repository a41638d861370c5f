// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>

#include "net/connection.h"
#include "net/progress_deadline.h"
#include "net/stream.h"
#include "net/tcp_loop.h"

namespace mlos::net {

/// What the connections of every protocol over a Stream do alike: the handshake, reading, writing
/// until the socket takes no more, and an end that the peer gets to read.
///
///     Start ──► opening ──OnOpen──► open ──Linger──► lingering ──its time is over──► closed
///                  │                 │                   │                             ▲
///                  └─────────────────┴───────────────────┴── Close, Release, an error ─┘
///
/// opening: the TLS handshake, which plain TCP does without. Nothing is read or written.
/// open: the derived class reads and writes, one operation each way, and is told what comes of it.
/// lingering: everything is sent; what the peer still sends is read away.
/// closed: the loop has forgotten the connection. OnClose is the last that is called.
///
/// It keeps itself alive until it is closed, and waiting operations keep it alive. Everything
/// happens on the loop's thread.
class StreamConnection : public PeerConnection,
                         public std::enable_shared_from_this<StreamConnection> {
 public:
  void Start() override;
  void OnTick(SteadyClock::time_point now) final;
  void Drain() final;
  void Close() final;
  bool awaits_peer() const final { return !open() || OpenAwaitsPeer(); }
  bool draining() const final { return draining_; }

 protected:
  using ErrorCode = boost::system::error_code;

  /// Once the loop drains: for a peer that has not asked for anything yet.
  static constexpr std::int64_t kSilenceWhileDrainingMs = 500;

  struct Timeouts {
    std::int64_t opening_ms = 0;
    std::int64_t write_ms = 0;  ///< for each ProgressDeadline::kBytes
  };
  StreamConnection(TcpLoop& loop, Stream stream, boost::asio::ip::address peer, Timeouts timeouts);

  // What the derived class does. All but OnClose are called only while the connection is open.

  /// Bytes can be exchanged.
  virtual void OnOpen() = 0;
  /// The read is over; `count` is 0 if it was cancelled.
  virtual void OnRead(std::size_t count) = 0;
  /// eof: the peer sends no more, and may still read.
  virtual void OnReadError(const ErrorCode& /*error*/) { Close(); }
  /// Write has returned false, and the socket takes more again.
  virtual void OnWritable() = 0;
  /// Every quarter second, for the deadlines of its own.
  virtual void CheckDeadlines(SteadyClock::time_point now) = 0;
  virtual void OnDrain() = 0;
  /// See awaits_peer.
  virtual bool OpenAwaitsPeer() const = 0;
  /// It has been closed, maybe before it was open.
  virtual void OnClose() {}

  bool open() const { return phase_ == Phase::kOpen; }
  /// An operation reads.
  bool reading() const { return reading_; }
  /// An operation waits until the socket takes more.
  bool writing() const { return writing_; }
  const Stream& stream() const { return stream_; }
  ByteBuffer TakeReceived() { return stream_.TakeReceived(); }

  /// Reads up to `size_max` bytes; OnRead or OnReadError follows, never at once. Requires open()
  /// and !reading(). `into` stays until then, also if the connection is closed before.
  void Read(char* into, std::size_t size_max);
  /// See Stream::TryRead.
  std::size_t TryRead(char* into, std::size_t size_max, ErrorCode& error) {
    return stream_.TryRead(into, size_max, error);
  }
  /// Ends the waiting operations soon: by OnRead with what has been read, and OnWritable.
  void Cancel() { stream_.Cancel(); }

  /// Sends what `source` has: buffers() that are not empty() lose what is sent by Consume(count).
  /// True once it is empty. False if OnWritable follows, or if the connection had to be closed. The
  /// peer's time for 64 KiB goes on if `more_follows`.
  template <typename Source>
  bool Write(Source& source, bool more_follows = false) {
    if (writing_) return false;
    while (!source.empty()) {
      ErrorCode error;
      const std::size_t count = stream_.Write(source.buffers(), error);
      if (error) {
        OnNotWritten(error);
        return false;
      }
      source.Consume(count);
      written_ += count;
    }
    if (!more_follows) write_deadline_.Stop();
    return true;
  }

  /// Sends no more, and closes once the peer ends its side, two seconds later at most. Until then
  /// what still comes is read away: if bytes are unread when a socket is closed, the kernel resets
  /// the connection, and the peer loses the last words, which tell it why (RFC 9112, section 9.6).
  /// Only time bounds that, not bytes: a caller may be in the middle of a body of any size, and
  /// nothing it could send costs less to take. Requires that nothing is left to write.
  void Linger();

  /// Closes without the socket, which goes on elsewhere. For plain streams, on which no operation
  /// waits.
  UniqueFd Release();

 private:
  enum class Phase : std::uint8_t { kOpening, kOpen, kLingering, kClosed };

  void OnHandshake(const ErrorCode& error);
  void AfterRead(const ErrorCode& error, std::size_t count);
  void OnNotWritten(const ErrorCode& error);
  void ReadAway();
  /// Leaves the loop. What it returns keeps it alive from then on.
  std::shared_ptr<StreamConnection> Forget();

  // Declared first, so that it dies last: the stream belongs to its io_context.
  const std::shared_ptr<TcpLoop> loop_;
  const Timeouts timeouts_;
  Stream stream_;
  /// Keeps it alive until it is closed.
  std::shared_ptr<StreamConnection> self_;

  Phase phase_ = Phase::kOpening;
  bool draining_ = false;
  bool reading_ = false;
  bool writing_ = false;
  Deadline phase_deadline_ = kNoDeadline;  ///< of opening and lingering
  ProgressDeadline write_deadline_;
  std::uint64_t written_ = 0;
};

}  // namespace mlos::net
