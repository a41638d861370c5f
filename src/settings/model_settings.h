// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace mlos::settings {

/// A whole number; none where it is not set.
using Integer = std::optional<std::int64_t>;
/// Names with a text each; empty where it is not set.
using TextMap = std::map<std::string, std::string>;
/// A JSON object as text without blanks between its parts; empty where it is not set.
struct JsonObject {
  std::string text;

  bool operator==(const JsonObject&) const = default;
};

/// How one model is to be served, beyond what its files say. Whoever registers it, its package and
/// the registry say it in this form. A setting is a member here and a row of the table in table.cc,
/// which the doors, the registry, the manifest and the documentation go by; besides these, only the
/// code that acts on it names it.
struct ModelSettings {
  Integer max_batch_size;
  Integer preferred_batch_size;
  Integer max_queue_delay_us;
  Integer intra_op_threads;
  TextMap state_pairs;
  JsonObject options;

  bool operator==(const ModelSettings&) const = default;
};

}  // namespace mlos::settings
