// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace mlos::registry {

/// A row whose seal is not that of its values. The id is as it reads, so it may be what is damaged.
struct DamagedRow {
  std::string_view table;  ///< "models" or "plugins"
  std::int64_t rowid = 0;
  std::string id;
};

/// How a file of the registry was found.
struct Findings {
  /// Why its content cannot be told: it is missing, no database, or of another layout.
  Status unreadable;
  std::vector<DamagedRow> rows;
  /// Models or plugins were changed, lost or brought back behind the seals of the rows.
  bool incomplete = false;
  /// What was committed last may be missing. Of models and plugins, the generation tells; of the
  /// journal and the verdicts nothing does.
  bool log_damaged = false;
  /// Rows that only save time, of the journal of loads and of verdicts, and are damaged.
  std::int64_t minor = 0;
  /// How often models and plugins were changed; 0 where that cannot be told.
  std::int64_t generation = 0;
  std::int64_t models = 0;
  std::int64_t plugins = 0;

  bool readable() const { return unreadable.ok(); }
  /// Whether nothing at all is damaged.
  bool flawless() const { return sound() && !log_damaged && minor == 0; }
  /// Models and plugins are just those of that generation.
  bool sound() const { return readable() && rows.empty() && !incomplete; }
  /// Each damage in words: "model 'a' is damaged".
  std::vector<std::string> Describe() const;
};

}  // namespace mlos::registry
