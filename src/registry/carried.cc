// SPDX-License-Identifier: MIT
#include "registry/carried.h"

#include "registry/rows.h"

namespace mlos::registry {

Carried Carried::Of(disk::Database& database, bool with_journal) {
  Carried carried;
  (void)carried.Read(database);  // What can be read is all there is.
  if (!with_journal) carried.loading_.clear();
  return carried;
}

Status Carried::Read(disk::Database& database) {
  disk::Query loading = MLOS_TRY(
      database.Prepare("SELECT " MLOS_LOADING_COLUMNS
                       " FROM loading WHERE seal = seal_of('loading', " MLOS_LOADING_COLUMNS ")"));
  while (MLOS_TRY(loading.Step())) {
    loading_.push_back(
        {loading.TextAt(0), loading.TextAt(1), loading.TextAt(2), loading.TextAt(3)});
  }
  disk::Query trials = MLOS_TRY(database.Prepare(
      "SELECT " MLOS_TRIAL_COLUMNS " FROM trials WHERE seal = seal_of('trials', " MLOS_TRIAL_COLUMNS
      ") ORDER BY number"));
  while (MLOS_TRY(trials.Step())) {
    trials_.push_back({.key = {trials.TextAt(0), trials.TextAt(1), trials.TextAt(2)},
                       .trial = {.passed = trials.IntAt(3) != 0, .message = trials.TextAt(4)}});
  }
  return OkStatus();
}

Status Carried::PutTo(disk::Database& database) const {
  for (const auto& row : loading_) {
    MLOS_TRY(PutLoadingRow(database, row[0], row[1], row[2], row[3]));
  }
  for (const Verdict& row : trials_) MLOS_TRY(PutTrialRow(database, row.key, row.trial));
  return OkStatus();
}

}  // namespace mlos::registry
