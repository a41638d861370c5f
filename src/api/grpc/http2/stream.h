// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "net/body_source.h"
#include "net/byte_buffer.h"
#include "resource/accounts.h"

namespace mlos::api::grpc::http2 {

struct Header {
  std::string name;
  std::string value;
};

/// The headers of a request that matter; others are dropped as they arrive.
struct RequestHead {
  std::string method;
  std::string path;
  std::string content_type;
  std::string timeout;          ///< grpc-timeout
  std::string encoding;         ///< grpc-encoding
  std::string accept_encoding;  ///< grpc-accept-encoding
  bool te_trailers = false;
  /// The list was longer than allowed, and only the beginning of it was looked at.
  bool too_large = false;
};

/// A piece of a reply. The first one of a stream brings its headers.
struct Part {
  unsigned http_status = 200;
  std::string_view encoding;  ///< grpc-encoding; of static lifetime
  net::ByteBuffer data;
  /// What follows `data` and is made while it is sent, or null. Its length is known.
  std::unique_ptr<net::BodySource> rest;
  /// The reply ends behind them, with `trailers`.
  bool end = false;
  std::vector<Header> trailers;

  std::size_t size() const { return data.size() + (rest == nullptr ? 0 : *rest->length()); }
};

/// A connection as those who serve its streams see it. Thread-safe.
class StreamPort {
 public:
  StreamPort() = default;
  StreamPort(const StreamPort&) = delete;
  StreamPort& operator=(const StreamPort&) = delete;
  virtual ~StreamPort() = default;

  /// Sends, soon; dropped where the stream is gone.
  virtual void Send(std::int32_t stream_id, Part part) = 0;
  /// Lets the caller send `count` bytes more on the stream.
  virtual void Consume(std::int32_t stream_id, std::size_t count) = 0;
  /// Ends the stream without a reply.
  virtual void Cancel(std::int32_t stream_id) = 0;
  /// Runs `task` on the connection's thread, soon; never where the connection's thread has ended.
  virtual void Post(std::function<void()> task) = 0;
  /// True on the connection's thread.
  virtual bool RunsHere() = 0;
  /// What its caller's requests are counted against; outlives them.
  virtual resource::ByteBudget& budget() = 0;
};

/// Who serves one stream. Called on the connection's thread only.
class StreamHandler {
 public:
  StreamHandler() = default;
  StreamHandler(const StreamHandler&) = delete;
  StreamHandler& operator=(const StreamHandler&) = delete;
  virtual ~StreamHandler() = default;

  /// Bytes of the request, in order; borrowed for the call. What is dealt with is given back to the
  /// caller's window with StreamPort::Consume.
  virtual void OnData(std::string_view data) = 0;
  /// The request is complete.
  virtual void OnEnd() = 0;
  /// Nothing waits to be sent any more; `sent_bytes` of replies have been, in all.
  virtual void OnSent(std::size_t sent_bytes) = 0;
  /// The stream is over: answered, reset, or lost with its connection. The last call.
  virtual void OnClose() = 0;
  /// Four times a second.
  virtual void OnTick(SteadyClock::time_point now) = 0;
};

/// Who serves the streams of all connections. Thread-safe.
class Acceptor {
 public:
  Acceptor() = default;
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;
  virtual ~Acceptor() = default;

  /// What buffers of each caller are counted against; outlives them.
  virtual resource::Accounts& accounts() = 0;
  /// A handler for the stream, never null. It may reply through `port` at once.
  virtual std::shared_ptr<StreamHandler> Open(const RequestHead& head, std::int32_t stream_id,
                                              std::shared_ptr<StreamPort> port) = 0;
};

}  // namespace mlos::api::grpc::http2
