// SPDX-License-Identifier: MIT
#include "registry/schema.h"

#include <array>
#include <string>

namespace mlos::registry {
namespace {

// "MLOS": what file(1) and we recognise the file by.
constexpr std::int64_t kApplicationId = 0x4d4c4f53;

// Step i leads from user_version i to i + 1. A step that was released is never edited.
constexpr std::array kSteps = {
    // loading: what is being loaded right now; whatever is found in it at start was not survived.
    // trials: numbered in the order they were made, so that the oldest can go first.
    R"sql(
CREATE TABLE models (
  model_id         TEXT PRIMARY KEY,
  name             TEXT NOT NULL,
  version          TEXT NOT NULL,
  framework        TEXT NOT NULL,
  execution_format TEXT NOT NULL,
  description      TEXT NOT NULL,
  path             TEXT NOT NULL,
  served_path      TEXT NOT NULL,
  manifest_path    TEXT NOT NULL,
  plugin_id        TEXT NOT NULL,
  digest           TEXT NOT NULL,
  verified         INTEGER NOT NULL CHECK (verified IN (0, 1)),
  autoload         INTEGER NOT NULL CHECK (autoload IN (0, 1)),
  quarantined      INTEGER NOT NULL CHECK (quarantined IN (0, 1)),
  registered_at    INTEGER NOT NULL
) STRICT;
CREATE TABLE plugins (
  plugin_id     TEXT PRIMARY KEY,
  name          TEXT NOT NULL,
  version       TEXT NOT NULL,
  path          TEXT NOT NULL,
  config        TEXT NOT NULL,
  quarantined   INTEGER NOT NULL CHECK (quarantined IN (0, 1)),
  registered_at INTEGER NOT NULL
) STRICT;
CREATE TABLE loading (
  kind    TEXT NOT NULL CHECK (kind IN ('model', 'plugin')),
  id      TEXT NOT NULL,
  content TEXT NOT NULL,
  PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE trials (
  number         INTEGER PRIMARY KEY,
  digest         TEXT NOT NULL,
  plugin_id      TEXT NOT NULL,
  plugin_version TEXT NOT NULL,
  passed         INTEGER NOT NULL CHECK (passed IN (0, 1)),
  message        TEXT NOT NULL,
  UNIQUE (digest, plugin_id, plugin_version)
) STRICT;
)sql",
    R"sql(
ALTER TABLE models ADD COLUMN max_batch_size INTEGER NOT NULL DEFAULT 0;
ALTER TABLE models ADD COLUMN preferred_batch_size INTEGER NOT NULL DEFAULT 0;
ALTER TABLE models ADD COLUMN max_queue_delay_us INTEGER NOT NULL DEFAULT -1;
)sql",
    // boot: what the kernel calls its run, in which the load began; empty where that is unknown.
    R"sql(
ALTER TABLE loading ADD COLUMN boot TEXT NOT NULL DEFAULT '';
)sql",
    R"sql(
CREATE TABLE state_pairs (
  model_id TEXT NOT NULL,
  input    TEXT NOT NULL,
  output   TEXT NOT NULL,
  PRIMARY KEY (model_id, input)
) STRICT, WITHOUT ROWID;
)sql",
    // settings: an object of those that are set (settings/json.h), so that a new one needs no step
    // here. json_patch leaves out what is null.
    R"sql(
ALTER TABLE models ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
UPDATE models SET settings = json_patch('{}', json_object(
  'max_batch_size', nullif(max_batch_size, 0),
  'preferred_batch_size', nullif(preferred_batch_size, 0),
  'max_queue_delay_us', nullif(max_queue_delay_us, -1),
  'state_pairs', json((
    SELECT json_group_object(input, output) FROM state_pairs
    WHERE state_pairs.model_id = models.model_id))));
ALTER TABLE models DROP COLUMN max_batch_size;
ALTER TABLE models DROP COLUMN preferred_batch_size;
ALTER TABLE models DROP COLUMN max_queue_delay_us;
DROP TABLE state_pairs;
)sql",
};

Result<std::int64_t> ReadPragma(Database& database, const char* pragma) {
  Query query = MLOS_TRY(database.Prepare(pragma));
  MLOS_TRY(query.Step());
  return query.IntAt(0);
}

Status CheckOwner(Database& database, std::int64_t version) {
  const std::int64_t id = MLOS_TRY(ReadPragma(database, "PRAGMA application_id"));
  const std::int64_t objects = MLOS_TRY(ReadPragma(database, "SELECT count(*) FROM sqlite_schema"));
  if (id == kApplicationId || (id == 0 && version == 0 && objects == 0)) return OkStatus();
  return {Reason::kStoreCorrupt,
          "registry.db in the state directory is a database of another program; move it away"};
}

Status Step(Database& database, std::size_t from) {
  MLOS_TRY(database.Execute(kSteps[from]));
  const std::string mark = "PRAGMA application_id = " + std::to_string(kApplicationId) +
                           "; PRAGMA user_version = " + std::to_string(from + 1);
  return database.Execute(mark.c_str());
}

}  // namespace

Status Migrate(Database& database) {
  const std::int64_t version = MLOS_TRY(ReadPragma(database, "PRAGMA user_version"));
  MLOS_TRY(CheckOwner(database, version));
  if (version < 0 || static_cast<std::size_t>(version) > kSteps.size()) {
    return {Reason::kUnimplemented, "the registry has version " + std::to_string(version) +
                                        "; this MLOS knows up to " + std::to_string(kSteps.size()) +
                                        ": use the newer MLOS that wrote it"};
  }
  if (static_cast<std::size_t>(version) == kSteps.size()) return OkStatus();
  Transaction transaction = MLOS_TRY(Transaction::Begin(database));
  for (auto from = static_cast<std::size_t>(version); from < kSteps.size(); ++from) {
    MLOS_TRY(Step(database, from));
  }
  return transaction.Commit();
}

}  // namespace mlos::registry
