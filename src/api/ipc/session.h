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
#include "api/ipc/totals.h"
#include "api/ipc/wire/frame.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "engine/cancellation.h"
#include "resource/accounts.h"

namespace mlos::api::ipc {

/// Who is at the other end, as the kernel says (SO_PEERCRED).
struct Peer {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::int32_t pid = 0;
};

/// Something that is served for a session until that closes: its ring.
class Attachment {
 public:
  Attachment() = default;
  Attachment(const Attachment&) = delete;
  Attachment& operator=(const Attachment&) = delete;
  virtual ~Attachment() = default;
  virtual void Stop() = 0;
  /// Answers wait until the client takes earlier ones.
  virtual bool has_unsent() const = 0;
};

/// The socket that a session came with.
class Link {
 public:
  Link() = default;
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  virtual ~Link() = default;
  /// Tells the client why and closes. From any thread.
  virtual void Leave(const Status& why) = 0;
};

/// What a client has with Core, whichever way its frames come: the requests in flight and the
/// regions it has mapped. Thread-safe.
class Session {
 public:
  /// Takes a place among the connections over, which was taken for it.
  Session(const ServerOptions& options, Peer peer, resource::Accounts::Lease account,
          std::shared_ptr<Totals> totals)
      : options_(options), peer_(peer), account_(std::move(account)), totals_(std::move(totals)) {}
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() { GivePlace(); }

  const Peer& peer() const { return peer_; }
  /// What the user's requests are counted against; outlives them.
  resource::ByteBudget& budget() const { return account_.budget(); }

  /// A request begins; `cancellation`, which must outlive End, is how it is told that nobody waits
  /// for it. CONFLICT where one of that number is in flight, OVERLOADED where too many are,
  /// CANCELLED where the session is over.
  Status Begin(std::uint64_t request_id, engine::Cancellation& cancellation);
  /// Its number is free again; its answer is about to be sent, and Answered tells when it is.
  void End(std::uint64_t request_id);
  void Answered();
  /// No change where there is none of that number: its answer may be on its way.
  void Cancel(std::uint64_t request_id);
  /// The client is gone: cancels everything and forgets the regions, which live on in the requests
  /// that use them.
  void Close();
  /// Nothing is in flight, and no answer on its way to the channel or to the client.
  bool idle() const;

  /// Before the first request.
  void SetLink(std::weak_ptr<Link> link);
  /// Whether the socket keeps answers that the client does not take.
  void set_unsent(bool unsent) { unsent_.store(unsent); }
  /// Notes whether something was in flight or has come since the last look; `received_bytes` have
  /// come over the socket in all.
  void Look(SteadyClock::time_point now, std::uint64_t received_bytes);
  /// The first look since which it has been idle.
  SteadyClock::time_point idle_since() const;
  /// Ends it and gives its place back, if it is idle; its client hears `why`. No request begins
  /// from then on, so that none is lost. False if it goes on.
  bool EndIfIdle(const Status& why);
  /// The same if nothing is in flight, and answers wait for the client to take them.
  bool EndIfUnread(const Status& why);
  /// Refuses further requests, and ends it with the answer to the last one in flight. False if it
  /// is about to end already.
  bool Retire(const Status& why);

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

  void GivePlace();
  bool at_rest() const REQUIRES(mutex_) { return requests_.empty() && answering_ == 0; }
  bool has_unsent() const REQUIRES(mutex_) {
    return unsent_.load() || (attachment_ != nullptr && attachment_->has_unsent());
  }
  bool EndAtRest(const Status& why, bool unsent);
  void End(const Status& why, const std::shared_ptr<Link>& link);

  const ServerOptions& options_;
  const Peer peer_;
  const resource::Accounts::Lease account_;
  const std::shared_ptr<Totals> totals_;
  std::atomic<bool> has_place_{true};
  std::atomic<bool> unsent_{false};

  mutable Mutex mutex_;
  bool closed_ GUARDED_BY(mutex_) = false;
  // Few, so that a walk is quicker than a table.
  std::vector<std::pair<std::uint64_t, engine::Cancellation*>> requests_ GUARDED_BY(mutex_);
  std::uint32_t answering_ GUARDED_BY(mutex_) = 0;
  Regions regions_ GUARDED_BY(mutex_);
  std::uint64_t region_bytes_ GUARDED_BY(mutex_) = 0;
  std::shared_ptr<Attachment> attachment_ GUARDED_BY(mutex_);
  std::weak_ptr<Link> link_ GUARDED_BY(mutex_);
  Status retired_ GUARDED_BY(mutex_);            // why it ends when it is at rest
  std::uint64_t begun_ GUARDED_BY(mutex_) = 0;   // requests
  std::uint64_t looked_ GUARDED_BY(mutex_) = 0;  // requests and bytes, at the last look
  SteadyClock::time_point idle_since_ GUARDED_BY(mutex_) = SteadyClock::now();
};

}  // namespace mlos::api::ipc
