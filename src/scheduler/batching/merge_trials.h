// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>

#include "base/mutex.h"

namespace mlos::scheduler::batching {

/// How the requests of one batch compare. Equal ones have the same inputs to the byte; different
/// ones differ in their first items; alike are those that differ only in how much they repeat.
enum class Compatibility : std::uint8_t { kEqual, kAlike, kDifferent };

/// What is known of merging the requests of one model: whether they get the answers of lone runs,
/// and whether that saves time. Three good trials in a row make it trusted.
///
/// Trials of equal requests say nothing about different ones: where the items of a batch influence
/// each other (a scale or a mean over all of them), equal items still get the right answers. So
/// each kind needs trials of its own; different requests that do well vouch for equal ones too.
/// What is trusted is looked at again, in every 64th merged run, and sooner at first. Thread-safe.
class MergeTrials {
 public:
  enum class Step : std::uint8_t { kRunAlone, kTry, kMerge, kMergeAndCheck };

  /// What to do with a batch of several requests.
  Step Next(Compatibility compatibility);

  /// A trial of such requests gave the answers of lone runs. One that won less than a tenth of
  /// their time begins the count anew, and a rest that doubles each time.
  void Equal(Compatibility compatibility, std::int64_t alone_us, std::int64_t merged_us);
  /// A trial could not be made, for want of memory.
  void Impossible() { Rest(); }
  /// Answers differed: never merge again.
  void Differ() { off_.store(true, std::memory_order_relaxed); }

  bool off() const { return off_.load(std::memory_order_relaxed); }
  /// Whether requests of any kind are merged.
  bool trusted() const { return trusted_.load(std::memory_order_relaxed); }
  /// Whether different requests are, and so all: their compatibility does not matter any more.
  bool all_trusted() const { return all_trusted_.load(std::memory_order_relaxed); }
  /// Counts a request towards the end of a rest; true where it need not wait for others meanwhile.
  bool PassBy();

 private:
  static constexpr int kGoodTrials = 3;
  static constexpr std::uint64_t kCheckEvery = 64;
  static constexpr std::int64_t kRestMin = 256;
  static constexpr std::int64_t kRestMax = 65'536;

  void Rest();

  std::atomic<bool> off_{false};
  std::atomic<bool> trusted_{false};
  std::atomic<bool> all_trusted_{false};
  // Requests until the next trial.
  std::atomic<std::int64_t> rest_{0};

  Mutex mutex_;
  int good_equal_ GUARDED_BY(mutex_) = 0;
  int good_different_ GUARDED_BY(mutex_) = 0;
  std::int64_t next_rest_ GUARDED_BY(mutex_) = kRestMin;
  std::uint64_t merged_runs_ GUARDED_BY(mutex_) = 0;
};

}  // namespace mlos::scheduler::batching
