// SPDX-License-Identifier: MIT
#include "axon/fetch/download.h"

#include <algorithm>
#include <memory>

#include "axon/fetch/transfer.h"
#include "base/check.h"

namespace axon::fetch {
namespace {

using mlos::Result;
using mlos::Status;
using mlos::SteadyClock;

constexpr int kPollMs = 100;

/// Runs transfers over one multi handle. Thread-compatible.
class Run {
 public:
  Run(const CancelFlag& cancel, int parallel, const DownloadProgress& progress)
      : cancel_(cancel), parallel_(parallel), progress_(progress), multi_(curl_multi_init()) {
    MLOS_CHECK(multi_ != nullptr, "libcurl gives no multi handle");
  }
  ~Run() {
    for (const auto& transfer : transfers_) curl_multi_remove_handle(multi_, transfer->handle());
    curl_multi_cleanup(multi_);
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  Status Add(std::unique_ptr<Transfer> transfer) {
    MLOS_TRY(transfer->Prepare(cancel_));
    transfers_.push_back(std::move(transfer));
    return mlos::OkStatus();
  }

  Status ToTheEnd() {
    Report();
    while (!AllDone()) {
      if (cancel_.IsSet()) return {mlos::Reason::kCancelled, "interrupted"};
      StartDue();
      int running = 0;
      curl_multi_perform(multi_, &running);
      MLOS_TRY(TakeFinished());
      Report();
      curl_multi_poll(multi_, nullptr, 0, kPollMs, nullptr);
    }
    return mlos::OkStatus();
  }

  std::vector<Fetched> TakeFiles() {
    std::vector<Fetched> files;
    for (const auto& transfer : transfers_) {
      files.push_back({transfer->sha256(), transfer->TakePart()});
    }
    return files;
  }

 private:
  bool AllDone() const {
    return std::all_of(transfers_.begin(), transfers_.end(), [](const auto& transfer) {
      return transfer->state() == Transfer::State::kDone;
    });
  }

  void StartDue() {
    const auto now = SteadyClock::now();
    for (const auto& transfer : transfers_) {
      if (running_ >= parallel_) return;
      if (transfer->state() != Transfer::State::kReady || transfer->due() > now) continue;
      transfer->Start();
      curl_easy_setopt(transfer->handle(), CURLOPT_PRIVATE, transfer.get());
      curl_multi_add_handle(multi_, transfer->handle());
      ++running_;
    }
  }

  Status TakeFinished() {
    int left = 0;
    while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      // The message dies with the handle's removal.
      CURL* const handle = message->easy_handle;
      const CURLcode code = message->data.result;
      Transfer* transfer = nullptr;
      curl_easy_getinfo(handle, CURLINFO_PRIVATE, &transfer);
      curl_multi_remove_handle(multi_, handle);
      --running_;
      MLOS_TRY(transfer->Finish(code));
    }
    return mlos::OkStatus();
  }

  void Report() const {
    std::uint64_t done_bytes = 0;
    for (const auto& transfer : transfers_) done_bytes += transfer->done_bytes();
    if (progress_) progress_(done_bytes);
  }

  const CancelFlag& cancel_;
  int parallel_;
  const DownloadProgress& progress_;
  CURLM* multi_;
  std::vector<std::unique_ptr<Transfer>> transfers_;
  int running_ = 0;
};

}  // namespace

Result<std::vector<Fetched>> Download(Access& access, const CancelFlag& cancel,
                                      const DownloadOptions& options,
                                      std::vector<DownloadItem> items,
                                      const DownloadProgress& progress) {
  Run run(cancel, options.parallel, progress);
  for (DownloadItem& item : items) {
    MLOS_TRY(run.Add(std::make_unique<Transfer>(access, options, std::move(item))));
  }
  MLOS_TRY(run.ToTheEnd());
  return run.TakeFiles();
}

}  // namespace axon::fetch
