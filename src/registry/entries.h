// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "registry/records.h"

namespace mlos::registry {

// What a line of the registry's second copy says.

/// The first line: how many of the following give the content that the file began with.
struct Beginning {
  std::int64_t lines = 0;
};
struct RemovedModel {
  std::string model_id;
};
struct RemovedPlugin {
  std::string plugin_id;
};
using Entry = std::variant<Beginning, ModelRecord, RemovedModel, PluginRecord, RemovedPlugin>;

/// `entry` as a line, the newline included:
///
///     seal ⇥ generation ⇥ kind ⇥ field ⇥ …
///
/// The generation is how often models and plugins had been changed when it was written, and the
/// seal is that of all that follows it (SealOf). Fields have `\t`, `\n` and `\\` for what would end
/// them.
std::string LineOf(std::int64_t generation, const Entry& entry);

struct Line {
  /// False where a byte of it was changed; the rest is then what can be read of it.
  bool sealed = false;
  std::int64_t generation = 0;
  Entry entry;
};

/// Reads a line without its newline. STORE_CORRUPT where nothing can be made of it.
Result<Line> ReadLine(std::string_view text);

}  // namespace mlos::registry
