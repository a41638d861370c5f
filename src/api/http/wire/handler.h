// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "api/http/wire/message.h"
#include "resource/accounts.h"

namespace mlos::api::http::wire {

class Connection;

/// The way back to the caller of one request. Copyable, so that it fits a std::function; the first
/// reply counts and later ones are dropped, as is one whose caller is gone. Thread-safe.
class Responder {
 public:
  explicit Responder(std::shared_ptr<Connection> connection, std::uint64_t request_number);
  Responder(const Responder&);
  Responder(Responder&&) noexcept;
  ~Responder();

  void Send(Reply&& reply) const;
  /// There is something to take from the stream of the reply that was sent.
  void Wake() const;
  /// True on the thread that serves the connection, which long work would keep from others.
  bool OnEventThread() const;

 private:
  std::shared_ptr<Connection> connection_;
  std::uint64_t request_number_;
};

/// A request whose head was admitted.
class Exchange {
 public:
  Exchange() = default;
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  virtual ~Exchange() = default;

  virtual std::uint64_t body_bytes_max() const = 0;
  /// Blanks to be put in front of the body, so that what is behind its JSON lies aligned.
  virtual std::size_t body_lead_bytes() const { return 0; }
  /// The request is whole; `body`, if not empty, has net::kBodyPaddingBytes zero bytes behind it.
  /// Called once, on an event thread, which must not be kept busy. Replies through `responder`, now
  /// or later, on any thread.
  virtual void Handle(net::ByteBuffer body, Responder responder) = 0;
  /// The reply to a request that is refused while its body is read. Handle is not called then.
  virtual Reply Refuse(const Status& status) = 0;
  /// The caller went away before it had its reply. On the event thread, after Handle, at most once.
  virtual void OnCallerGone() {}
};

/// What becomes of a request when its head is known: a refusal, sent instead of reading the body,
/// or an exchange.
struct Admission {
  std::optional<Reply> refusal;
  std::shared_ptr<Exchange> exchange;
};

/// Who answers. Thread-safe.
class Handler {
 public:
  Handler() = default;
  Handler(const Handler&) = delete;
  Handler& operator=(const Handler&) = delete;
  virtual ~Handler() = default;

  /// What bodies and replies of each caller are counted against; outlives them.
  virtual resource::Accounts& accounts() = 0;
  /// What the request takes is counted against `account`, that of its caller.
  virtual Admission Admit(const RequestHead& head, resource::ByteBudget& account) = 0;
  /// Lines, each with its CRLF, for the head of any reply to this request; they live as long as the
  /// handler.
  virtual std::string_view HeaderLinesFor(const RequestHead& /*head*/) const { return {}; }
  /// True for a request without a body that asks whether the server is well: it is answered at
  /// once, on a thread that does little else.
  virtual bool IsHealthCheck(const RequestHead& /*head*/) const { return false; }
  /// The reply to a request that was refused before it could be handled.
  virtual Reply Refuse(const Status& status) = 0;
};

}  // namespace mlos::api::http::wire
