// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>

#include "api/http/wire/handler.h"
#include "base/mutex.h"
#include "base/status.h"
#include "engine/credit.h"
#include "net/byte_buffer.h"

namespace mlos::api::http::wire {

/// A reply's body that comes in pieces: what was written and not yet sent, between whoever makes it
/// and the connection. Pieces that wait together leave together, in order. Thread-safe.
///
/// What waits is held in the caller's credit, by which its maker goes no faster than the caller
/// reads, until the connection has sent it. The connection takes; each sees when the other has
/// gone.
class BodyStream {
 public:
  /// What waits is counted against `budget`, which must outlive it.
  BodyStream(resource::ByteBudget& budget, Responder responder,
             std::shared_ptr<engine::Credit> credit)
      : budget_(budget),
        responder_(std::move(responder)),
        credit_(std::move(credit)),
        waiting_(budget) {}
  BodyStream(const BodyStream&) = delete;
  BodyStream& operator=(const BodyStream&) = delete;
  ~BodyStream() = default;

  /// Sends `piece` after what waits. CANCELLED where the caller is gone; OVERLOADED,
  /// PAYLOAD_TOO_LARGE or OUT_OF_MEMORY, and nothing is added, where there is no memory for it.
  Status Write(net::ByteBuffer piece);
  /// Nothing follows `last`, which may be empty. At most once.
  void End(net::ByteBuffer last);

  /// What the connection holds: its end tells the maker that the caller is gone.
  static std::shared_ptr<BodyStream> ReaderOf(std::shared_ptr<BodyStream> stream);
  /// All that waits, once what was taken before is sent; empty where nothing does, and Wake is then
  /// called for what comes next.
  net::ByteBuffer Take();
  /// True once all is taken.
  bool ended();

 private:
  /// Tells the connection, unless it knows already. Outside of the lock: it may take at once.
  void Wake(bool wanted) const {
    if (wanted) responder_.Wake();
  }
  void Abandon();

  resource::ByteBudget& budget_;
  const Responder responder_;
  const std::shared_ptr<engine::Credit> credit_;
  Mutex mutex_;
  net::ByteBuffer waiting_ GUARDED_BY(mutex_);
  net::ByteBuffer last_ GUARDED_BY(mutex_);
  bool ended_ GUARDED_BY(mutex_) = false;
  bool gone_ GUARDED_BY(mutex_) = false;
  std::size_t taken_bytes_ GUARDED_BY(mutex_) = 0;  ///< by the connection, which sends them
  bool idle_ GUARDED_BY(mutex_) = false;            ///< the connection waits to be woken
};

}  // namespace mlos::api::http::wire
