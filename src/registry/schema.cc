// SPDX-License-Identifier: MIT
#include "registry/schema.h"

#include <array>
#include <string>

#include "registry/rows.h"

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
    // Each row's own seal is in it (seal.h). `seal` says how often models and plugins were changed
    // and, in `rows`, holds the exclusive or of all their seals, which triggers keep: so a row that
    // is gone, or comes back, is noticed too. (a | b) & ~(a & b) is how SQLite writes a xor b.
    R"sql(
CREATE TABLE seal (
  id         INTEGER PRIMARY KEY CHECK (id = 1),
  generation INTEGER NOT NULL,
  rows       INTEGER NOT NULL,
  layout     INTEGER NOT NULL,
  own        INTEGER NOT NULL
) STRICT;
INSERT INTO seal VALUES (1, 0, 0, 0, 0);
ALTER TABLE models ADD COLUMN seal INTEGER NOT NULL DEFAULT 0;
ALTER TABLE plugins ADD COLUMN seal INTEGER NOT NULL DEFAULT 0;
ALTER TABLE loading ADD COLUMN seal INTEGER NOT NULL DEFAULT 0;
ALTER TABLE trials ADD COLUMN seal INTEGER NOT NULL DEFAULT 0;
CREATE TRIGGER model_put AFTER INSERT ON models BEGIN
  UPDATE seal SET rows = (rows | new.seal) & ~(rows & new.seal);
END;
CREATE TRIGGER model_changed AFTER UPDATE OF seal ON models BEGIN
  UPDATE seal SET rows = (rows | old.seal) & ~(rows & old.seal);
  UPDATE seal SET rows = (rows | new.seal) & ~(rows & new.seal);
END;
CREATE TRIGGER model_removed AFTER DELETE ON models BEGIN
  UPDATE seal SET rows = (rows | old.seal) & ~(rows & old.seal);
END;
CREATE TRIGGER plugin_put AFTER INSERT ON plugins BEGIN
  UPDATE seal SET rows = (rows | new.seal) & ~(rows & new.seal);
END;
CREATE TRIGGER plugin_changed AFTER UPDATE OF seal ON plugins BEGIN
  UPDATE seal SET rows = (rows | old.seal) & ~(rows & old.seal);
  UPDATE seal SET rows = (rows | new.seal) & ~(rows & new.seal);
END;
CREATE TRIGGER plugin_removed AFTER DELETE ON plugins BEGIN
  UPDATE seal SET rows = (rows | old.seal) & ~(rows & old.seal);
END;
UPDATE models SET seal = seal_of('models', model_id, name, version, framework, execution_format,
  description, path, served_path, manifest_path, plugin_id, digest, verified, autoload, quarantined,
  registered_at, settings);
UPDATE plugins SET seal = seal_of('plugins', plugin_id, name, version, path, config, quarantined,
  registered_at);
UPDATE loading SET seal = seal_of('loading', kind, id, content, boot);
UPDATE trials SET seal = seal_of('trials', digest, plugin_id, plugin_version, passed, message);
)sql",
};

Result<std::int64_t> ReadPragma(disk::Database& database, const char* pragma) {
  disk::Query query = MLOS_TRY(database.Prepare(pragma));
  MLOS_TRY(query.Step());
  return query.IntAt(0);
}

Status CheckOwner(disk::Database& database, std::int64_t version) {
  const std::int64_t id = MLOS_TRY(ReadPragma(database, "PRAGMA application_id"));
  const std::int64_t objects = MLOS_TRY(ReadPragma(database, "SELECT count(*) FROM sqlite_schema"));
  if (id == kApplicationId || (id == 0 && version == 0 && objects == 0)) return OkStatus();
  return {Reason::kStoreCorrupt,
          "registry.db is a database of another program; move it out of the state directory"};
}

Status Step(disk::Database& database, std::size_t from) {
  MLOS_TRY(database.Execute(kSteps[from]));
  const std::string mark = "PRAGMA application_id = " + std::to_string(kApplicationId) +
                           "; PRAGMA user_version = " + std::to_string(from + 1);
  return database.Execute(mark.c_str());
}

/// How many steps were done to the file.
Result<std::size_t> CheckedVersion(disk::Database& database) {
  const std::int64_t version = MLOS_TRY(ReadPragma(database, "PRAGMA user_version"));
  MLOS_TRY(CheckOwner(database, version));
  if (version >= 0 && static_cast<std::size_t>(version) <= kSteps.size()) {
    return static_cast<std::size_t>(version);
  }
  return Status(Reason::kUnimplemented,
                "the registry has version " + std::to_string(version) + "; this MLOS knows up to " +
                    std::to_string(kSteps.size()) + ": use the newer MLOS that wrote it");
}

// The text of all tables, indexes and triggers, in an order that a copy keeps.
#define MLOS_LAYOUT_SEAL                                                                     \
  "(SELECT seal_of('layout', group_concat(type || ' ' || name || ' ' || tbl_name || ' ' || " \
  "coalesce(sql, ''), ';')) FROM (SELECT * FROM sqlite_schema ORDER BY type, name))"

}  // namespace

Result<bool> NeedsMigration(disk::Database& database) {
  return MLOS_TRY(CheckedVersion(database)) < kSteps.size();
}

Status Migrate(disk::Database& database) {
  const std::size_t version = MLOS_TRY(CheckedVersion(database));
  if (version == kSteps.size()) return OkStatus();
  disk::Transaction transaction = MLOS_TRY(disk::Transaction::Begin(database));
  for (std::size_t from = version; from < kSteps.size(); ++from) {
    MLOS_TRY(Step(database, from));
  }
  MLOS_TRY(database.Execute("UPDATE seal SET layout = " MLOS_LAYOUT_SEAL));
  MLOS_TRY(AdvanceSeal(database));
  MLOS_TRY(transaction.Commit());
  return database.Sync();
}

Status CheckLayout(disk::Database& database) {
  disk::Query query = MLOS_TRY(database.Prepare("SELECT layout = " MLOS_LAYOUT_SEAL " FROM seal"));
  if (MLOS_TRY(query.Step()) && query.IntAt(0) != 0) return OkStatus();
  return {Reason::kStoreCorrupt, "its tables are not those that were made"};
}

}  // namespace mlos::registry
