// SPDX-License-Identifier: MIT
#pragma once

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "api/grpc/http2/flood_meter.h"
#include "api/grpc/http2/limits.h"
#include "api/grpc/http2/outgoing.h"
#include "api/grpc/http2/stream.h"
#include "base/result.h"

namespace mlos::api::grpc::http2 {

/// HTTP/2 of one connection, without the socket: bytes in, calls to handlers; parts of replies in,
/// bytes out. The adapter of nghttp2. Thread-compatible.
class Session {
 public:
  /// `acceptor` and `limits` outlive it.
  Session(const Limits& limits, Acceptor& acceptor);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  /// Tells the handlers that are left.
  ~Session();

  /// `port` is what handlers answer through.
  Status Start(std::shared_ptr<StreamPort> port);

  /// Takes what arrived, and calls handlers. False where the peer broke the protocol or its limits:
  /// what Produce still gives, a GOAWAY among it, is the last.
  bool Receive(std::string_view bytes);
  /// Appends what is to be sent, until `out` has more than `bytes_max`. False where nghttp2 fails.
  bool Produce(net::ByteBuffer& out, std::size_t bytes_max);

  void Send(std::int32_t stream_id, Part part);
  void Consume(std::int32_t stream_id, std::size_t count);
  void Cancel(std::int32_t stream_id);

  /// Says that soon no further stream will be taken.
  void AnnounceEnd();
  /// Says that no further stream is taken; those that are open go on.
  void Drain();
  /// Says goodbye for `error_code` (RFC 9113, section 7).
  void Terminate(std::uint32_t error_code);
  void Ping();
  /// Acts on deadlines of streams, and lets handlers do so.
  void OnTick(SteadyClock::time_point now);

  /// Nothing will be received or sent any more.
  bool over() const;
  /// The last stream that was asked for.
  std::int32_t last_stream() const { return nghttp2_session_get_last_proc_stream_id(session_); }
  std::size_t open_streams() const { return streams_.size(); }
  /// Nobody works for any of the open streams: the peer has not sent all of their requests, or has
  /// not taken what is ready of their replies.
  bool awaits_peer() const;
  /// The peer's first SETTINGS have come.
  bool introduced() const { return introduced_; }
  /// A header block is under way.
  bool in_header_block() const { return head_stream_ != 0; }

 private:
  struct Stream;
  struct Callbacks;

  Stream* Find(std::int32_t stream_id);
  int OnBeginFrame(const nghttp2_frame_hd& frame);
  int OnBeginHeaders(std::int32_t stream_id);
  int OnHeader(std::int32_t stream_id, std::string_view name, std::string_view value);
  int OnFrame(const nghttp2_frame& frame);
  void OnHeadersEnd(std::int32_t stream_id);
  int OnData(std::int32_t stream_id, std::string_view data);
  int OnFrameSent(const nghttp2_frame& frame);
  int OnStreamClose(std::int32_t stream_id);
  /// False where too many of the streams that are gone are still worked for.
  bool HasRoom();
  void CountReset(const Stream* stream);
  /// Forgives DATA among `received` bytes that nghttp2 dropped, if the peer may have sent them
  /// before it knew that this side had ended their stream. `counted_before` was the length of the
  /// DATA that counts towards the connection's window.
  void ForgiveLate(std::size_t received, std::int32_t counted_before);
  /// How much of such DATA there may be for a stream.
  std::size_t InFlight(std::int32_t stream_id) const;
  void EndOfRequest(std::int32_t stream_id);
  void StartReply(Stream& stream, Part& part);

  const Limits& limits_;
  Acceptor& acceptor_;
  std::shared_ptr<StreamPort> port_;
  nghttp2_session* session_ = nullptr;
  std::unordered_map<std::int32_t, std::unique_ptr<Stream>> streams_;
  net::ByteBuffer* out_ = nullptr;     ///< during Produce
  std::vector<std::int32_t> drained_;  ///< streams that wait for more of their reply
  /// Of streams that are gone, while someone works for them.
  std::vector<std::weak_ptr<StreamHandler>> closed_;
  FloodMeter flood_;
  std::size_t block_bytes_ = 0;       ///< of the header block that is being read
  std::size_t late_bytes_ = 0;        ///< that may come for streams that this side has ended
  std::int64_t delivered_bytes_ = 0;  ///< of DATA that OnData has seen, since the last Receive
  SteadyClock::time_point now_ = SteadyClock::now();
  std::int32_t head_stream_ = 0;  ///< whose header block is being read
  bool introduced_ = false;
  bool terminated_ = false;
};

}  // namespace mlos::api::grpc::http2
