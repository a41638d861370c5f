// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <string>
#include <vector>

#include "base/result.h"
#include "registry/disk/sqlite.h"
#include "registry/records.h"

namespace mlos::registry {

/// What a file of the registry holds besides models and plugins: the journal of loads and the
/// verdicts on files. It is carried over into the file that replaces a damaged one. If it is lost,
/// that costs time only.
class Carried {
 public:
  /// Everything that is not damaged, as far as the file can be read; the journal only if asked for.
  static Carried Of(disk::Database& database, bool with_journal);
  /// Puts it into a file that has none, inside a transaction.
  Status PutTo(disk::Database& database) const;

 private:
  struct Verdict {
    TrialKey key;
    Trial trial;
  };

  Status Read(disk::Database& database);

  /// kind, id, content, boot
  std::vector<std::array<std::string, 4>> loading_;
  std::vector<Verdict> trials_;
};

}  // namespace mlos::registry
