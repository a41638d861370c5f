// SPDX-License-Identifier: MIT
#include "daemon/state_tools.h"

#include <iostream>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "base/files.h"
#include "base/log.h"
#include "registry/maintenance.h"

namespace mlos::daemon {
namespace {

namespace fs = std::filesystem;

/// Keeps a Core from starting on the state folder, unless one is running.
struct Hold {
  std::optional<FileLock> lock;
  bool shared = false;
};

/// Makes no file: where there is no lock, there never was a Core.
Result<Hold> HoldState(const fs::path& state_dir) {
  std::error_code error;
  if (!fs::is_directory(state_dir, error)) {
    return Status(Reason::kFileNotFound, "there is no such folder").WithContext("state_dir");
  }
  if (!fs::exists(state_dir / "lock", error)) return Hold{};
  Result<FileLock> lock = FileLock::TryAcquire(state_dir / "lock");
  if (lock.ok()) return Hold{.lock = std::move(lock).value()};
  if (lock.status().reason() == Reason::kStateLocked) return Hold{.shared = true};
  return std::move(lock).status().WithContext("state_dir");
}

fs::path RegistryOf(const Config& config) { return fs::path(config.state_dir) / "registry.db"; }

}  // namespace

Result<int> CheckState(const Config& config) {
  const Hold hold = MLOS_TRY(HoldState(config.state_dir));
  const registry::StateReport report =
      MLOS_TRY(registry::CheckState(RegistryOf(config), hold.shared));
  for (const std::string& line : report.lines) std::cout << line << '\n';
  std::cout << (report.sound ? "state ok\n" : "state damaged\n");
  return report.sound ? 0 : 1;
}

Result<int> BackUp(const Config& config, const fs::path& file) {
  const Hold hold = MLOS_TRY(HoldState(config.state_dir));
  MLOS_TRY(registry::Backup(RegistryOf(config), hold.shared, file).WithContext("backup"));
  std::cout << "backup written\n";
  return 0;
}

Result<int> Restore(const Config& config, const fs::path& file) {
  const fs::path state_dir = config.state_dir;
  MLOS_TRY(CreateDirectories(state_dir, 0700).WithContext("state_dir"));
  MLOS_TRY(CheckOwnFolder(state_dir).WithContext("state_dir"));
  Result<FileLock> lock = FileLock::TryAcquire(state_dir / "lock");
  if (!lock.ok()) return std::move(lock).status().WithContext("state_dir: stop Core first");
  // What is said of healing is meant for a start.
  MLOS_TRY(InitLogging(LogFormat::kText, "error"));
  Result<registry::Restored> restored = registry::Restore(RegistryOf(config), file);
  if (!restored.ok()) return std::move(restored).status().WithContext("restore");
  std::cout << "restored; models: " << restored->models << ", plugins: " << restored->plugins
            << "; the former registry is in before-restore/\n";
  return 0;
}

}  // namespace mlos::daemon
