// SPDX-License-Identifier: MIT
#include "api/ipc/session.h"

#include <algorithm>
#include <string>
#include <utility>

namespace mlos::api::ipc {
namespace {

Status NoRegion(std::string_view what, std::string_view field) {
  return Status(Reason::kInvalidField, std::string(what)).WithField(field);
}

}  // namespace

Status Session::Begin(std::uint64_t request_id, engine::Cancellation& cancellation) {
  const MutexLock lock(mutex_);
  if (closed_) return {Reason::kCancelled, "the connection has ended"};
  if (!retired_.ok()) return retired_;
  for (const auto& [id, other] : requests_) {
    if (id != request_id) continue;
    return Status(Reason::kConflict, "a request of this number is in flight")
        .WithField("request_id");
  }
  if (requests_.size() >= options_.requests_max) {
    return {Reason::kOverloaded,
            std::to_string(options_.requests_max) + " requests of this connection are in flight"};
  }
  requests_.emplace_back(request_id, &cancellation);
  ++begun_;
  return OkStatus();
}

void Session::End(std::uint64_t request_id) {
  const MutexLock lock(mutex_);
  ++answering_;
  const auto found =
      std::find_if(requests_.begin(), requests_.end(),
                   [request_id](const auto& request) { return request.first == request_id; });
  if (found == requests_.end()) return;
  std::swap(*found, requests_.back());
  requests_.pop_back();
}

void Session::Answered() {
  std::shared_ptr<Link> link;
  Status why;
  {
    const MutexLock lock(mutex_);
    --answering_;
    if (retired_.ok() || closed_ || !at_rest()) return;
    closed_ = true;
    link = link_.lock();
    why = retired_;
  }
  End(why, link);
}

void Session::Cancel(std::uint64_t request_id) {
  const MutexLock lock(mutex_);
  for (const auto& [id, cancellation] : requests_) {
    if (id == request_id) cancellation->Cancel();
  }
}

void Session::Close() {
  Regions regions;
  std::shared_ptr<Attachment> attachment;
  {
    const MutexLock lock(mutex_);
    closed_ = true;
    regions.swap(regions_);
    attachment.swap(attachment_);
  }
  // First, so that what is cancelled now is not answered on a ring whose client shall learn that
  // its connection has ended.
  if (attachment != nullptr) attachment->Stop();
  const MutexLock lock(mutex_);
  for (const auto& [id, cancellation] : requests_) cancellation->Cancel();
}

Status Session::Attach(std::shared_ptr<Attachment> attachment) {
  const MutexLock lock(mutex_);
  if (closed_) return {Reason::kCancelled, "the client is gone"};
  if (attachment_ != nullptr) return {Reason::kAlreadyExists, "the connection has a ring already"};
  attachment_ = std::move(attachment);
  return OkStatus();
}

bool Session::idle() const {
  const MutexLock lock(mutex_);
  return at_rest() && !has_unsent();
}

void Session::SetLink(std::weak_ptr<Link> link) {
  const MutexLock lock(mutex_);
  link_ = std::move(link);
}

void Session::Look(SteadyClock::time_point now, std::uint64_t received_bytes) {
  const MutexLock lock(mutex_);
  const std::uint64_t before = std::exchange(looked_, begun_ + received_bytes);
  if (before != looked_ || !at_rest() || has_unsent()) idle_since_ = now;
}

SteadyClock::time_point Session::idle_since() const {
  const MutexLock lock(mutex_);
  return idle_since_;
}

bool Session::EndIfIdle(const Status& why) { return EndAtRest(why, false); }

bool Session::EndIfUnread(const Status& why) { return EndAtRest(why, true); }

bool Session::EndAtRest(const Status& why, bool unsent) {
  std::shared_ptr<Link> link;
  {
    const MutexLock lock(mutex_);
    link = link_.lock();
    if (closed_ || link == nullptr || !at_rest() || has_unsent() != unsent) return false;
    closed_ = true;
  }
  End(why, link);
  return true;
}

bool Session::Retire(const Status& why) {
  const MutexLock lock(mutex_);
  if (closed_ || !retired_.ok() || at_rest()) return false;
  retired_ = why;
  return true;
}

void Session::End(const Status& why, const std::shared_ptr<Link>& link) {
  GivePlace();
  if (link != nullptr) link->Leave(why);
}

void Session::GivePlace() {
  if (has_place_.exchange(false)) totals_->connections.Give(peer_.uid);
}

Result<wire::RegionReply> Session::MapRegion(const wire::MapRegion& map, UniqueFd fd) {
  const MutexLock lock(mutex_);
  if (closed_) return Status(Reason::kCancelled, "the client is gone");
  if (regions_.contains(map.region_id)) {
    return NoRegion("a region of this number is mapped already", "region_id");
  }
  if (regions_.size() >= options_.regions_max) {
    return Status(Reason::kOverloaded,
                  "a connection may map " + std::to_string(options_.regions_max) + " regions");
  }
  const bool writable = map.access == wire::Access::kWrite;
  memory::Mapping mapping = MLOS_TRY(
      memory::Mapping::Create(std::move(fd), writable, options_.region_bytes_max - region_bytes_));
  if (!totals_->regions.Take(peer_.uid)) {
    return Status(Reason::kOverloaded, "this user has its share of the " +
                                           std::to_string(options_.all_regions_max) +
                                           " regions that all connections may map");
  }
  const auto forget = [totals = totals_, uid = peer_.uid](const memory::Region* region) {
    delete region;
    totals->regions.Give(uid);
  };
  std::shared_ptr<const memory::Region> region(new memory::Region(std::move(mapping), map.access),
                                               forget);
  region_bytes_ += region->size_bytes();
  wire::RegionReply reply{map.region_id, region->constant(), region->size_bytes()};
  regions_.emplace(map.region_id, std::move(region));
  return reply;
}

Result<wire::RegionReply> Session::UnmapRegion(std::uint32_t region_id) {
  const MutexLock lock(mutex_);
  const auto found = regions_.find(region_id);
  if (found == regions_.end()) return NoRegion("no region of this number is mapped", "region_id");
  wire::RegionReply reply{region_id, found->second->constant(), found->second->size_bytes()};
  region_bytes_ -= found->second->size_bytes();
  regions_.erase(found);
  return reply;
}

Result<std::shared_ptr<const memory::Region>> Session::FindRegion(std::uint32_t region_id,
                                                                  wire::Access access,
                                                                  std::string_view field) const {
  const MutexLock lock(mutex_);
  const auto found = regions_.find(region_id);
  if (found == regions_.end()) {
    return NoRegion("region " + std::to_string(region_id) + " is not mapped", field);
  }
  if (found->second->access() != access) {
    return NoRegion(access == wire::Access::kRead ? "the region is mapped for outputs"
                                                  : "the region is mapped for inputs",
                    field);
  }
  return found->second;
}

}  // namespace mlos::api::ipc
