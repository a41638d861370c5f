// SPDX-License-Identifier: MIT
#include "registry/healing.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "base/files.h"
#include "base/log.h"
#include "base/model_id.h"
#include "base/text.h"
#include "registry/carried.h"
#include "registry/disk/log_check.h"
#include "registry/inspection.h"
#include "registry/rows.h"
#include "registry/schema.h"

namespace mlos::registry {
namespace {

namespace fs = std::filesystem;

fs::path With(const fs::path& path, const char* suffix) { return path.native() + suffix; }

/// What a damaged disk makes of a file, as opposed to what passes.
bool IsDamage(const Status& status) {
  return status.reason() == Reason::kStoreCorrupt || status.reason() == Reason::kIoError ||
         status.reason() == Reason::kUnimplemented;
}

Status Missing() { return {Reason::kStoreCorrupt, "it is missing"}; }

/// Its structure comes first: on a damaged one, the steps to this layout could do anything.
Status OpenSound(const fs::path& path, std::unique_ptr<disk::Database>& database) {
  database = MLOS_TRY(disk::Database::Open(path));
  MLOS_TRY(CheckStructure(*database));
  return Migrate(*database);
}

void Report(const fs::path& path, const Findings& findings) {
  for (const std::string& damage : findings.Describe()) {
    Log(LogLevel::kError, "registry damaged",
        {{"file", path.filename().native()}, {"what", damage}});
  }
}

/// Keeps a file that is about to be replaced: it may tell what happened to the disk.
void SetAside(const fs::path& path) {
  const fs::path aside = With(path, ".damaged");
  std::error_code ignored;
  fs::remove(disk::LogPathOf(aside), ignored);
  fs::rename(disk::LogPathOf(path), disk::LogPathOf(aside), ignored);
  fs::rename(path, aside, ignored);
}

/// Adds a registration whose row is lost in both files: the id is taken, and nothing is served
/// under it.
void AddLost(const DamagedRow& row, Content& content) {
  Log(LogLevel::kError, "registration lost: register it again or remove it",
      {{row.table == "models" ? "model" : "plugin", Excerpt(row.id)}});
  if (row.table == "plugins") {
    content.Apply(PluginRecord{.plugin_id = row.id, .quarantined = true});
  } else if (ModelId::Parse(row.id).ok()) {
    content.Apply(ModelRecord{.model_id = row.id, .quarantined = true});
  }
}

template <typename Record>
const Record* Find(const std::vector<Record>& records, std::string Record::* id,
                   const std::string& value) {
  const auto found = std::find_if(records.begin(), records.end(),
                                  [&](const Record& record) { return record.*id == value; });
  return found == records.end() ? nullptr : &*found;
}

/// Adds what `row` was to the content, by what `spare` says of it.
void Restore(const DamagedRow& row, const Content& spare, Content& content) {
  const auto* model = Find(spare.models, &ModelRecord::model_id, row.id);
  const auto* plugin = Find(spare.plugins, &PluginRecord::plugin_id, row.id);
  if (row.table == "models" && model != nullptr) {
    content.Apply(*model);
  } else if (row.table == "plugins" && plugin != nullptr) {
    content.Apply(*plugin);
  } else {
    AddLost(row, content);
  }
}

/// The sound rows of a main file that is readable.
Result<Content> SoundContentOf(disk::Database& database, const Findings& findings) {
  Content content = MLOS_TRY(ContentOf(database, findings.generation));
  for (const DamagedRow& row : findings.rows) {
    content.Apply(row.table == "models" ? Entry(RemovedModel{row.id})
                                        : Entry(RemovedPlugin{row.id}));
  }
  return content;
}

/// The best that can be made of two files of which neither is sound.
Result<Content> Salvage(FoundFiles& files, Better better) {
  Log(LogLevel::kError, "both files of the registry are damaged: look for what is missing");
  const Content& copied = files.copy.content;
  Content content;
  if (better == Better::kMain) {
    content = MLOS_TRY(SoundContentOf(*files.main, files.main_findings));
    for (const DamagedRow& row : files.main_findings.rows) Restore(row, copied, content);
  } else {
    content = copied;
    for (const DamagedRow& row : files.copy.findings.rows) {
      const bool said_again =
          row.table == "models" ? Find(copied.models, &ModelRecord::model_id, row.id) != nullptr
                                : Find(copied.plugins, &PluginRecord::plugin_id, row.id) != nullptr;
      if (!said_again) AddLost(row, content);
    }
  }
  content.generation = std::max(files.main_findings.generation, copied.generation) + 1;
  return content;
}

Status Fill(disk::Database& database, const Content& content, const Carried& carried) {
  disk::Transaction transaction = MLOS_TRY(disk::Transaction::Begin(database));
  for (const ModelRecord& model : content.models) MLOS_TRY(PutModelRow(database, model));
  for (const PluginRecord& plugin : content.plugins) MLOS_TRY(PutPluginRow(database, plugin));
  MLOS_TRY(carried.PutTo(database));
  MLOS_TRY(SetGeneration(database, content.generation));
  return transaction.Commit();
}

/// Makes a new file at `path` without a log, which survives a power cut.
Status MakeFile(const fs::path& path, const Content& content, const Carried& carried) {
  std::error_code ignored;
  fs::remove(path, ignored);
  {
    std::unique_ptr<disk::Database> database;
    MLOS_TRY(OpenSound(path, database));
    MLOS_TRY(Fill(*database, content, carried));
  }
  return FsyncFile(path);
}

/// Replaces the main file by one with this content, and opens it.
Status RenewMain(FoundFiles& files, const Content& content) {
  Carried carried;
  if (files.main != nullptr) {
    carried = Carried::Of(*files.main, !files.main_findings.log_damaged);
    files.main->LeaveFiles();
    files.main.reset();
  }
  const fs::path fresh = With(files.path, ".new");
  MLOS_TRY(MakeFile(fresh, content, carried));
  if (!files.main_missing && !files.main_findings.sound()) SetAside(files.path);
  // The new file has no log, and must not find that of the old one.
  std::error_code error;
  for (const char* suffix : {"-wal", "-shm"}) fs::remove(With(files.path, suffix), error);
  fs::rename(fresh, files.path, error);
  if (error) return ErrnoStatus(error.value(), "cannot replace registry.db");
  files.main = MLOS_TRY(disk::Database::Open(files.path));
  Log(LogLevel::kWarning, "registry healed",
      {{"file", files.path.filename().native()}, {"models", content.models.size()}});
  return OkStatus();
}

/// Drops what is damaged of the journal of loads and of verdicts: without it, a load or a trial is
/// done once more. If the end of a load may be missing, no load is held against its model.
Status DropMinorDamage(FoundFiles& files) {
  const Findings& findings = files.main_findings;
  if (findings.flawless()) return OkStatus();
  disk::Transaction transaction = MLOS_TRY(disk::Transaction::Begin(*files.main));
  MLOS_TRY(files.main->Execute(
      "DELETE FROM loading WHERE seal <> seal_of('loading', " MLOS_LOADING_COLUMNS ")"));
  MLOS_TRY(files.main->Execute(
      "DELETE FROM trials WHERE seal <> seal_of('trials', " MLOS_TRIAL_COLUMNS ")"));
  if (findings.log_damaged) MLOS_TRY(files.main->Execute("DELETE FROM loading"));
  MLOS_TRY(transaction.Commit());
  Log(LogLevel::kWarning, "registry healed", {{"file", files.path.filename().native()}});
  return OkStatus();
}

/// The copy, which is written anew unless it has just this content.
std::unique_ptr<Copy> TakeCopy(const FoundFiles& files, const Content& content) {
  const fs::path path = Copy::PathOf(files.path);
  const Findings& findings = files.copy.findings;
  const bool good = findings.sound() && findings.generation == content.generation;
  Result<std::unique_ptr<Copy>> copy = good ? Copy::Continue(path) : Copy::Write(path, content);
  if (!copy.ok()) {
    Log(LogLevel::kError, "the registry's second copy cannot be written",
        {LogField(copy.status())});
    return nullptr;
  }
  if (!good && !files.copy_missing) {
    Log(LogLevel::kWarning, "registry healed",
        {{"file", path.filename().native()}, {"models", content.models.size()}});
  }
  return std::move(copy).value();
}

}  // namespace

Better BetterOf(const Findings& main, const Findings& copy) {
  if (main.sound() && copy.sound()) {
    return main.generation >= copy.generation ? Better::kMain : Better::kCopy;
  }
  if (main.sound()) return Better::kMain;
  if (copy.sound()) return Better::kCopy;
  if (main.readable()) return Better::kMain;
  return copy.readable() ? Better::kCopy : Better::kNeither;
}

Result<FoundFiles> FindFiles(const fs::path& path) {
  FoundFiles files{.path = path};
  std::error_code error;
  const fs::path copy_path = Copy::PathOf(path);
  files.copy_missing = !fs::exists(copy_path, error) && !error;
  if (files.copy_missing) {
    files.copy.findings.unreadable = Missing();
  } else {
    files.copy = Copy::Read(copy_path);
  }
  files.main_missing = !fs::exists(path, error) && !error;
  // Without either, there is nothing yet.
  if (files.main_missing && !files.copy_missing) {
    files.main_findings.unreadable = Missing();
    return files;
  }
  // Before SQLite passes over what it finds there.
  const bool log_damaged = disk::LogIsDamaged(disk::LogPathOf(path));
  const Status opened = OpenSound(path, files.main);
  files.main_findings = opened.ok() ? Inspect(*files.main) : Findings{.unreadable = opened};
  files.main_findings.log_damaged = log_damaged;
  for (const Findings* findings : {&files.main_findings, &files.copy.findings}) {
    if (!findings->readable() && !IsDamage(findings->unreadable)) return findings->unreadable;
  }
  return files;
}

Result<HealedFiles> Heal(FoundFiles files) {
  const Better better = BetterOf(files.main_findings, files.copy.findings);
  if (better == Better::kNeither) return files.main_findings.unreadable;
  if (!files.main_missing) Report(files.path, files.main_findings);
  if (!files.copy_missing) Report(Copy::PathOf(files.path), files.copy.findings);
  Content content;
  if (better == Better::kMain && files.main_findings.sound()) {
    content = MLOS_TRY(ContentOf(*files.main, files.main_findings.generation));
    MLOS_TRY(DropMinorDamage(files));
  } else if (better == Better::kCopy && files.copy.findings.sound()) {
    content = files.copy.content;
    const std::int64_t behind = content.generation - files.main_findings.generation;
    if (files.main_findings.sound()) {
      Log(LogLevel::kWarning, "registry.db lacks the last changes", {{"changes", behind}});
    }
    MLOS_TRY(RenewMain(files, content));
  } else {
    content = MLOS_TRY(Salvage(files, better));
    MLOS_TRY(RenewMain(files, content));
  }
  std::unique_ptr<Copy> copy = TakeCopy(files, content);
  return HealedFiles{std::move(files.main), std::move(copy), content.generation};
}

Result<Content> ContentOf(disk::Database& database, std::int64_t generation) {
  Content content{.generation = generation};
  content.models = MLOS_TRY(ReadModels(database));
  content.plugins = MLOS_TRY(ReadPlugins(database));
  return content;
}

}  // namespace mlos::registry
