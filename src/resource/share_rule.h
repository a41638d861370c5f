// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>

namespace mlos::resource {

/// How callers share a limited amount: nobody keeps the others from half of it, and one who is
/// alone may use nearly all.
///
///     one holds      and is let in while all together hold
///     up to half     up to the limit
///     up to most     up to most
///
/// Who stays within half is let in while there is any left; who goes beyond it leaves an eighth
/// free, and at least one of several. So there is room for others when they come, and from then on
/// whatever the large holder gives back is theirs, up to their half. The rule needs no clock and
/// keeps nothing idle but the eighth.
class ShareRule {
 public:
  constexpr explicit ShareRule(std::uint64_t limit) : limit_(limit) {}

  constexpr std::uint64_t limit() const { return limit_; }
  /// The larger half of an odd limit.
  constexpr std::uint64_t half() const { return limit_ - limit_ / 2; }
  /// What one may hold who is alone.
  constexpr std::uint64_t most() const {
    return limit_ <= 1 ? limit_ : limit_ - std::max<std::uint64_t>(limit_ / 8, 1);
  }
  /// Whether somebody may come to hold `own` if all together then hold `all`.
  constexpr bool Allows(std::uint64_t own, std::uint64_t all) const {
    return all <= (own <= half() ? limit_ : most());
  }
  /// Whether one more than the rule allows may come, so that all hold `all`, while somebody who
  /// holds too much has been asked to give one back: an eighth at most.
  constexpr bool AllowsAhead(std::uint64_t all) const { return all <= limit_ + (limit_ - most()); }

 private:
  std::uint64_t limit_;
};

}  // namespace mlos::resource
