// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/status.h"

namespace axon::config {

enum class KeyType : std::uint8_t { kText, kUrl, kPath, kCount, kSeconds, kSecret };

/// One setting: its dotted name in config.yaml, the environment variable that overrides it, and its
/// default.
struct Key {
  std::string_view name;
  KeyType type;
  /// Empty if no variable overrides it.
  std::string_view variable;
  std::string_view fallback;
  std::string_view meaning;
  std::int64_t min = 0;
  std::int64_t max = 0;
};

/// Every setting this version honours.
std::span<const Key> Keys();

/// The setting of that name, or nullptr.
const Key* FindKey(std::string_view name);

/// OK if `value` is allowed for `key`; otherwise INVALID_CONFIG, which names the expected form.
mlos::Status CheckValue(const Key& key, std::string_view value);

}  // namespace axon::config
