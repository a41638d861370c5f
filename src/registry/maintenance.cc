// SPDX-License-Identifier: MIT
#include "registry/maintenance.h"

#include <algorithm>
#include <memory>
#include <system_error>
#include <utility>

#include "base/files.h"
#include "registry/copy.h"
#include "registry/disk/log_check.h"
#include "registry/findings.h"
#include "registry/healing.h"
#include "registry/inspection.h"
#include "registry/schema.h"
#include "registry/twin.h"

namespace mlos::registry {
namespace {

// While Core appends a line, a reader may see the half of it.
constexpr int kLooks = 3;

struct Looked {
  Findings main;
  Findings copy;
  bool old = false;  ///< the main file is of an earlier version, which has no seals
};

Status LookInto(const std::filesystem::path& path, bool shared, Looked& looked) {
  const auto database = MLOS_TRY(disk::Database::OpenToLook(path, shared));
  // All is looked at as it was at one moment, however much Core changes meanwhile.
  MLOS_TRY(database->Execute("BEGIN"));
  MLOS_TRY(CheckStructure(*database));
  looked.old = MLOS_TRY(NeedsMigration(*database));
  if (!looked.old) looked.main = Inspect(*database);
  looked.main.log_damaged = !shared && disk::LogIsDamaged(disk::LogPathOf(path));
  return OkStatus();
}

Looked Look(const std::filesystem::path& path, bool shared) {
  Looked looked;
  const Status opened = LookInto(path, shared, looked);
  if (!opened.ok()) looked.main.unreadable = opened;
  // After the main file: the copy is then never behind.
  looked.copy = Copy::Read(Copy::PathOf(path)).findings;
  return looked;
}

bool IsSound(const Looked& looked, bool shared) {
  if (looked.old) return looked.main.flawless();
  if (!looked.main.flawless() || !looked.copy.flawless()) return false;
  return looked.main.generation == looked.copy.generation ||
         (shared && looked.copy.generation > looked.main.generation);
}

std::string Count(std::int64_t number, const char* noun) {
  return std::to_string(number) + " " + noun + (number == 1 ? "" : "s");
}

std::string Summary(const Findings& findings) {
  return Count(findings.models, "model") + ", " + Count(findings.plugins, "plugin") + ", " +
         Count(findings.generation, "change");
}

void Describe(const std::string& name, const Findings& findings, StateReport& report) {
  const std::vector<std::string> damages = findings.Describe();
  for (const std::string& damage : damages) report.lines.push_back(name + ": " + damage);
  if (damages.empty()) report.lines.push_back(name + ": " + Summary(findings));
}

std::string Outlook(const Looked& looked) {
  switch (BetterOf(looked.main, looked.copy)) {
    case Better::kNeither:
      return "Core does not start on it: bring back a backup with --restore";
    case Better::kMain:
      if (looked.main.sound()) return "the next start heals it by registry.db";
      break;
    case Better::kCopy:
      if (looked.copy.sound()) return "the next start heals it by registry.copy";
      break;
  }
  return "the next start heals it as far as it can, and quarantines what both files have lost";
}

/// Copies the registry's files to the folder `before-restore`.
Status KeepFormer(const std::filesystem::path& registry) {
  namespace fs = std::filesystem;
  const fs::path aside = registry.parent_path() / "before-restore";
  std::error_code error;
  fs::remove_all(aside, error);
  MLOS_TRY(CreateDirectories(aside, 0700));
  for (const fs::path& file : {registry, disk::LogPathOf(registry), Copy::PathOf(registry)}) {
    if (!fs::exists(file, error)) continue;
    fs::copy_file(file, aside / file.filename(), error);
    if (error) return ErrnoStatus(error.value(), "cannot keep the former registry");
    MLOS_TRY(FsyncFile(aside / file.filename()));
  }
  return FsyncDirectory(aside);
}

/// The content of a backup, which is left as it is: `scratch` is brought to this version's layout.
Result<Content> ReadBackup(const std::filesystem::path& file,
                           const std::filesystem::path& scratch) {
  {
    const auto backup = MLOS_TRY(disk::Database::OpenToLook(file, false));
    MLOS_TRY(CheckStructure(*backup));
    MLOS_TRY(NeedsMigration(*backup));
    MLOS_TRY(backup->CopyTo(scratch));
  }
  const auto database = MLOS_TRY(disk::Database::Open(scratch));
  MLOS_TRY(Migrate(*database));
  const Findings findings = Inspect(*database);
  if (!findings.sound()) return Status(Reason::kStoreCorrupt, findings.Describe().front());
  return ContentOf(*database, findings.generation);
}

}  // namespace

Result<StateReport> CheckState(const std::filesystem::path& registry, bool shared) {
  std::error_code error;
  if (!std::filesystem::exists(registry, error) &&
      !std::filesystem::exists(Copy::PathOf(registry), error)) {
    return StateReport{.lines = {"nothing was registered yet"}};
  }
  Looked looked = Look(registry, shared);
  for (int look = 1; shared && look < kLooks && !IsSound(looked, shared); ++look) {
    looked = Look(registry, shared);
  }
  StateReport report{.sound = IsSound(looked, shared)};
  if (looked.old && report.sound) {
    report.lines.emplace_back("registry.db: of an earlier version, which the next start upgrades");
    return report;
  }
  Describe("registry.db", looked.main, report);
  Describe("registry.copy", looked.copy, report);
  if (!report.sound) report.lines.push_back(Outlook(looked));
  return report;
}

Status Backup(const std::filesystem::path& registry, bool shared,
              const std::filesystem::path& file) {
  std::error_code error;
  if (std::filesystem::exists(file, error)) {
    return {Reason::kAlreadyExists, "there is a file of that name; choose another"};
  }
  Looked looked;
  MLOS_TRY(LookInto(registry, shared, looked));
  if (!looked.old && !looked.main.sound()) {
    return {Reason::kStoreCorrupt, looked.main.Describe().front() +
                                       "; start Core, which heals it, before you make a backup"};
  }
  const std::filesystem::path fresh = file.native() + ".new";
  const auto database = MLOS_TRY(disk::Database::OpenToLook(registry, shared));
  Status copied = database->CopyTo(fresh);
  if (copied.ok()) {
    std::filesystem::rename(fresh, file, error);
    if (error) copied = ErrnoStatus(error.value(), "cannot write the backup");
  }
  if (copied.ok()) return FsyncDirectory(file.has_parent_path() ? file.parent_path() : ".");
  std::filesystem::remove(fresh, error);
  return copied;
}

// The copy that has more changes than the former files is what makes the restored state hold: until
// it is there, the former one does. The main file is then healed by it.
Result<Restored> Restore(const std::filesystem::path& registry, const std::filesystem::path& file) {
  const std::filesystem::path scratch = registry.native() + ".restore";
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) {
    return Status(Reason::kFileNotFound, "there is no such backup");
  }
  Result<Content> content = ReadBackup(file, scratch);
  for (const char* suffix : {"", "-wal", "-shm"}) {
    std::filesystem::remove(scratch.native() + suffix, ignored);
  }
  if (!content.ok()) {
    // What is said of a damaged registry would be taken for the one in the state folder.
    const bool unreadable = content.status().reason() == Reason::kStoreCorrupt;
    return unreadable ? Status(Reason::kStoreCorrupt, "the backup is damaged, or is none")
                      : std::move(content).status();
  }
  const Looked former = Look(registry, false);
  content->generation =
      1 + std::max({content->generation, former.main.generation, former.copy.generation});
  MLOS_TRY(KeepFormer(registry));
  MLOS_TRY(Copy::Write(Copy::PathOf(registry), *content));
  MLOS_TRY(Twin::Open(registry));
  return Restored{content->models.size(), content->plugins.size()};
}

}  // namespace mlos::registry
