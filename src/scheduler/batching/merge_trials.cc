// SPDX-License-Identifier: MIT
#include "scheduler/batching/merge_trials.h"

#include <algorithm>
#include <bit>

namespace mlos::scheduler::batching {
namespace {

// Merging must save this part of the time to be worth it.
constexpr std::int64_t kGainShare = 10;

}  // namespace

MergeTrials::Step MergeTrials::Next(Compatibility compatibility) {
  if (off()) return Step::kRunAlone;
  if (!all_trusted() && !(compatibility == Compatibility::kEqual && trusted())) {
    const bool rests = rest_.load(std::memory_order_relaxed) > 0;
    return rests || compatibility == Compatibility::kAlike ? Step::kRunAlone : Step::kTry;
  }
  const MutexLock lock(mutex_);
  const std::uint64_t run = ++merged_runs_;
  return std::has_single_bit(run) || run % kCheckEvery == 0 ? Step::kMergeAndCheck : Step::kMerge;
}

void MergeTrials::Equal(Compatibility compatibility, std::int64_t alone_us,
                        std::int64_t merged_us) {
  const bool pays = merged_us + alone_us / kGainShare <= alone_us;
  {
    const MutexLock lock(mutex_);
    int& good = compatibility == Compatibility::kDifferent ? good_different_ : good_equal_;
    good = pays ? good + 1 : 0;
    if (good >= kGoodTrials) {
      next_rest_ = kRestMin;
      if (compatibility == Compatibility::kDifferent)
        all_trusted_.store(true, std::memory_order_relaxed);
      trusted_.store(true, std::memory_order_relaxed);
    }
  }
  if (!pays) Rest();
}

void MergeTrials::Rest() {
  const MutexLock lock(mutex_);
  rest_.store(next_rest_, std::memory_order_relaxed);
  next_rest_ = std::min(2 * next_rest_, kRestMax);
}

bool MergeTrials::PassBy() {
  if (rest_.load(std::memory_order_relaxed) <= 0) return false;
  // Threads that meet at its end count below 0: that is no harm.
  rest_.fetch_sub(1, std::memory_order_relaxed);
  return !trusted();
}

}  // namespace mlos::scheduler::batching
