// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "api/ipc/memory/region.h"
#include "api/ipc/server_options.h"
#include "api/ipc/wire/frame.h"
#include "base/mutex.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "engine/cancellation.h"

namespace mlos::api::ipc {

/// Who is at the other end, as the kernel says (SO_PEERCRED).
struct Peer {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::int32_t pid = 0;
};

/// What all sessions have, which is bounded. Thread-safe.
struct Totals {
  std::atomic<std::uint32_t> connections{0};
  std::atomic<std::uint32_t> rings{0};
  /// Threads that serve rings, which end by themselves soon after their sessions.
  std::atomic<std::uint32_t> ring_threads{0};
  std::atomic<std::uint32_t> regions{0};
};

/// Something that is served for a session until that closes: its ring.
class Attachment {
 public:
  Attachment() = default;
  Attachment(const Attachment&) = delete;
  Attachment& operator=(const Attachment&) = delete;
  virtual ~Attachment() = default;
  virtual void Stop() = 0;
};

/// What a client has with Core, whichever way its frames come: the requests in flight and the
/// regions it has mapped. Thread-safe.
class Session {
 public:
  Session(const ServerOptions& options, Peer peer, std::shared_ptr<Totals> totals)
      : options_(options), peer_(peer), totals_(std::move(totals)) {
    totals_->connections.fetch_add(1);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() { totals_->connections.fetch_sub(1); }

  const Peer& peer() const { return peer_; }

  /// A request begins; `cancellation`, which must outlive End, is how it is told that nobody waits
  /// for it. CONFLICT where one of that number is in flight, OVERLOADED where too many are.
  Status Begin(std::uint64_t request_id, engine::Cancellation& cancellation);
  /// Its number is free again; its answer is about to be sent, and Answered tells when it is.
  void End(std::uint64_t request_id);
  void Answered();
  /// No change where there is none of that number: its answer may be on its way.
  void Cancel(std::uint64_t request_id);
  /// The client is gone: cancels everything and forgets the regions, which live on in the requests
  /// that use them.
  void Close();
  /// Nothing is in flight, and no answer on its way to the channel.
  bool idle() const;

  /// INVALID_FIELD, PAYLOAD_TOO_LARGE, OVERLOADED; see memory::Mapping.
  Result<wire::RegionReply> MapRegion(const wire::MapRegion& map, UniqueFd fd);
  Result<wire::RegionReply> UnmapRegion(std::uint32_t region_id);
  /// INVALID_FIELD with `field` where there is none, or one of the other kind.
  Result<std::shared_ptr<const memory::Region>> FindRegion(std::uint32_t region_id,
                                                           wire::Access access,
                                                           std::string_view field) const;

  /// ALREADY_EXISTS where there is one, CANCELLED where the session is closed; then it is not kept.
  Status Attach(std::shared_ptr<Attachment> attachment);

 private:
  using Regions = std::unordered_map<std::uint32_t, std::shared_ptr<const memory::Region>>;

  const ServerOptions& options_;
  const Peer peer_;
  const std::shared_ptr<Totals> totals_;

  mutable Mutex mutex_;
  bool closed_ GUARDED_BY(mutex_) = false;
  // Few, so that a walk is quicker than a table.
  std::vector<std::pair<std::uint64_t, engine::Cancellation*>> requests_ GUARDED_BY(mutex_);
  std::uint32_t answering_ GUARDED_BY(mutex_) = 0;
  Regions regions_ GUARDED_BY(mutex_);
  std::uint64_t region_bytes_ GUARDED_BY(mutex_) = 0;
  std::shared_ptr<Attachment> attachment_ GUARDED_BY(mutex_);
};

}  // namespace mlos::api::ipc
