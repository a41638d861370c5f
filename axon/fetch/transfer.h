// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>

#include "axon/fetch/backoff.h"
#include "axon/fetch/cancel.h"
#include "axon/fetch/download_item.h"
#include "axon/fetch/exchange.h"
#include "axon/fetch/partial_file.h"
#include "base/clock.h"
#include "package/digest.h"

namespace axon::fetch {

/// One download: redirects, retries, resumption and the check of the bytes. The caller calls
/// Start() and runs handle() once the state is kReady and due() has come, and reports its end to
/// Finish(). Thread-compatible.
///
///     Prepare ──► kReady ──Start──► kRunning ──Finish──► kDone
///        │          ▲                  │
///        │          └─ redirect, retry ┘
///        └──► kDone, if the part is the whole file already
class Transfer : private ResponseSink {
 public:
  enum class State : std::uint8_t { kReady, kRunning, kDone };

  Transfer(Access& access, const DownloadOptions& options, DownloadItem item)
      : access_(access),
        options_(options),
        item_(std::move(item)),
        exchange_(access, options.timeouts),
        backoff_(options.retries_max) {}

  /// Opens the part and digests the bytes of an earlier process. If they are the whole file, the
  /// state is kDone at once.
  mlos::Status Prepare(const CancelFlag& cancel);

  /// Prepares handle() for the next request.
  void Start();
  /// Judges the request that ended; a Status that is not OK is final.
  mlos::Status Finish(CURLcode code);

  State state() const { return state_; }
  /// When Start may be called.
  mlos::SteadyClock::time_point due() const { return due_; }
  CURL* handle() const { return exchange_.handle(); }
  std::uint64_t done_bytes() const { return part_.has_value() ? part_->size_bytes() : 0; }
  /// Requires kDone.
  const mlos::package::Digest& sha256() const { return sha256_; }
  /// Requires kDone; nothing else may be called afterwards.
  PartialFile TakePart() { return *std::move(part_); }

 private:
  mlos::Status OnHead(const ResponseHead& head) override;
  mlos::Status OnBody(std::string_view bytes) override;

  mlos::Status AcceptWhole(const ResponseHead& head);
  mlos::Status AcceptRange(const ResponseHead& head);
  mlos::Status CheckLength(std::uint64_t size_bytes) const;
  mlos::Status NoteSource(const ResponseHead& head);
  mlos::Status Judge(const mlos::Status& ended);
  mlos::Status JudgeResponse();
  mlos::Status Retry(mlos::Status why, std::string_view retry_after);
  mlos::Status Restart();
  void ResetHashers();
  void Absorb(std::string_view bytes);
  mlos::Status Conclude();
  mlos::Status Named(mlos::Status status) const;

  Access& access_;
  const DownloadOptions& options_;
  DownloadItem item_;
  Exchange exchange_;
  Backoff backoff_;
  std::optional<PartialFile> part_;
  std::optional<mlos::package::Hasher> sha256_hasher_;
  std::optional<mlos::package::Hasher> git_hasher_;
  mlos::package::Digest sha256_;
  State state_ = State::kReady;
  mlos::SteadyClock::time_point due_{};
  std::optional<Url> hop_;
  int hops_ = 0;
  std::uint64_t size_at_failure_ = 0;
  std::size_t ignored_bytes_ = 0;
  /// Some bytes are from an earlier request. If the digest is wrong, they may be the cause, so one
  /// more try starts from zero.
  bool pieced_together_ = false;
  bool restart_wanted_ = false;
};

}  // namespace axon::fetch
