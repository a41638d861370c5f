// SPDX-License-Identifier: MIT
#include "daemon/socket_place.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "base/files.h"

namespace mlos::daemon {
namespace {

namespace fs = std::filesystem;

constexpr char kSystemFolder[] = "/run/mlos";
constexpr char kName[] = "/mlos.sock";
// Others may pass through it: the socket's own mode says who may connect.
constexpr unsigned kSystemFolderMode = 0755;

bool IsOwnFolder(const fs::path& folder) {
  std::error_code error;
  return fs::is_directory(folder, error) && CheckOwnFolder(folder).ok();
}

bool CanBeMade(const fs::path& folder) {
  std::error_code error;
  if (fs::symlink_status(folder, error).type() != fs::file_type::not_found) return false;
  return ::faccessat(AT_FDCWD, folder.parent_path().c_str(), W_OK | X_OK, AT_EACCESS) == 0;
}

}  // namespace

std::string DefaultSocket(const std::string& state_dir) {
  // What is relative counts as unset (XDG Base Directory Specification), and so does the folder of
  // another user, which `su` and `sudo` may leave behind.
  const char* const variable = std::getenv("XDG_RUNTIME_DIR");
  const std::string runtime_dir = variable == nullptr ? "" : variable;
  if (runtime_dir.starts_with('/') && IsOwnFolder(runtime_dir)) return runtime_dir + kName;
  if (IsOwnFolder(kSystemFolder) || CanBeMade(kSystemFolder)) {
    return std::string(kSystemFolder) + kName;
  }
  return state_dir + kName;
}

Status MakeSocketFolder(const std::string& socket) {
  if (fs::path(socket).parent_path() != kSystemFolder) return OkStatus();
  return CreateDirectories(kSystemFolder, kSystemFolderMode).WithContext(kSystemFolder);
}

}  // namespace mlos::daemon
