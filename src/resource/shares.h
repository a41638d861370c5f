// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_map>

#include "resource/share_rule.h"

namespace mlos::resource {

/// Who holds how many of a limited number of places, by the ShareRule. Thread-compatible.
template <typename Holder, typename Hash = std::hash<Holder>>
class Shares {
 public:
  explicit Shares(std::uint64_t limit) : rule_(limit) {}

  /// Whether the rule lets `holder` have one more.
  bool HasRoomFor(const Holder& holder) const {
    return rule_.Allows(held_by(holder) + 1, total_ + 1);
  }
  /// Counts one more, whether there is room or not: whoever makes room may take a moment.
  void Take(const Holder& holder) {
    ++total_;
    if (++held_[holder] > rule_.half()) over_half_ = holder;
  }
  /// Requires that `holder` holds one.
  void Give(const Holder& holder) {
    --total_;
    const auto found = held_.find(holder);
    if (--found->second <= rule_.half() && over_half_ == holder) over_half_.reset();
    if (found->second == 0) held_.erase(found);
  }

  std::uint64_t held_by(const Holder& holder) const {
    const auto found = held_.find(holder);
    return found == held_.end() ? 0 : found->second;
  }
  std::uint64_t total() const { return total_; }
  const ShareRule& rule() const { return rule_; }
  /// The one that holds more than half, if there is one: within the limit there cannot be two.
  const std::optional<Holder>& over_half() const { return over_half_; }
  /// One of those that hold most; none if nobody holds any. Looks at all holders.
  std::optional<Holder> largest() const {
    const auto most =
        std::max_element(held_.begin(), held_.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    return most == held_.end() ? std::nullopt : std::optional(most->first);
  }

 private:
  const ShareRule rule_;
  std::unordered_map<Holder, std::uint64_t, Hash> held_;
  std::uint64_t total_ = 0;
  std::optional<Holder> over_half_;
};

}  // namespace mlos::resource
