// SPDX-License-Identifier: MIT
#include "registry/inspection.h"

#include <utility>

#include "registry/rows.h"
#include "registry/schema.h"

namespace mlos::registry {
namespace {

// Each gives rowid, id, seal, and whether that is the row's.
constexpr const char* kModelSeals =
    "SELECT rowid, model_id, seal, seal = seal_of('models', " MLOS_MODEL_COLUMNS ") FROM models";
constexpr const char* kPluginSeals =
    "SELECT rowid, plugin_id, seal, seal = seal_of('plugins', " MLOS_PLUGIN_COLUMNS
    ") FROM plugins";
constexpr const char* kMinorDamage =
    "SELECT (SELECT count(*) FROM loading WHERE seal <> seal_of('loading', " MLOS_LOADING_COLUMNS
    ")) + (SELECT count(*) FROM trials WHERE seal <> seal_of('trials', " MLOS_TRIAL_COLUMNS "))";
constexpr const char* kSeal =
    "SELECT generation, rows, own = seal_of('seal', generation, rows, layout) FROM seal "
    "WHERE id = 1";

/// Adds the damaged rows of a table to the findings and returns how many rows there are.
Result<std::int64_t> CheckRows(disk::Database& database, const char* seals, std::string_view table,
                               std::int64_t& all_seals, Findings& findings) {
  disk::Query row = MLOS_TRY(database.Prepare(seals));
  std::int64_t count = 0;
  for (; MLOS_TRY(row.Step()); ++count) {
    all_seals ^= row.IntAt(2);
    if (row.IntAt(3) != 0) continue;
    findings.rows.push_back({.table = table, .rowid = row.IntAt(0), .id = row.TextAt(1)});
  }
  return count;
}

Status CheckSeals(disk::Database& database, Findings& findings) {
  std::int64_t all_seals = 0;
  findings.models = MLOS_TRY(CheckRows(database, kModelSeals, "models", all_seals, findings));
  findings.plugins = MLOS_TRY(CheckRows(database, kPluginSeals, "plugins", all_seals, findings));
  disk::Query minor = MLOS_TRY(database.Prepare(kMinorDamage));
  if (MLOS_TRY(minor.Step())) findings.minor = minor.IntAt(0);
  disk::Query seal = MLOS_TRY(database.Prepare(kSeal));
  const bool sealed = MLOS_TRY(seal.Step()) && seal.IntAt(2) != 0;
  if (sealed) findings.generation = seal.IntAt(0);
  // A row that is damaged says so itself.
  findings.incomplete = !sealed || (findings.rows.empty() && seal.IntAt(1) != all_seals);
  return OkStatus();
}

Status CheckAll(disk::Database& database, Findings& findings) {
  MLOS_TRY(CheckStructure(database));
  MLOS_TRY(CheckLayout(database));
  return CheckSeals(database, findings);
}

}  // namespace

Status CheckStructure(disk::Database& database) {
  disk::Query query = MLOS_TRY(database.Prepare("PRAGMA integrity_check(1)"));
  const bool answered = MLOS_TRY(query.Step());
  const std::string verdict = answered ? query.TextAt(0) : "its check yields nothing";
  if (verdict == "ok") return OkStatus();
  return {Reason::kStoreCorrupt, "it is damaged: " + verdict};
}

Findings Inspect(disk::Database& database) {
  Findings findings;
  findings.unreadable = CheckAll(database, findings);
  return findings;
}

}  // namespace mlos::registry
