// SPDX-License-Identifier: MIT
#include "base/path_policy.h"

#include <algorithm>
#include <string>
#include <system_error>

#include "base/files.h"
#include "base/text.h"

namespace mlos {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPathBytesMax = 4096;

bool IsBelow(const fs::path& path, const fs::path& folder) {
  const auto [end, rest] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
  return end == folder.end();
}

}  // namespace

bool PathPolicy::IsAllowed(const fs::path& resolved) const {
  return std::any_of(folders_.begin(), folders_.end(), [&](const fs::path& folder) {
    std::error_code error;
    const fs::path real = fs::canonical(folder, error);
    return !error && IsBelow(resolved, real);
  });
}

Result<fs::path> PathPolicy::Resolve(std::string_view path) const {
  if (path.empty() || path.size() > kPathBytesMax || path.find('\0') != std::string_view::npos) {
    return Status(Reason::kInvalidField, "a path has 1 to 4096 bytes and no NUL");
  }
  std::error_code error;
  fs::path resolved = fs::weakly_canonical(fs::absolute(path, error), error);
  const std::string name = Excerpt(fs::path(path).filename().native());
  // First, so that nothing is told of what lies outside, not even whether it exists.
  if (!anywhere_ && (error || !IsAllowed(resolved))) {
    return Status(Reason::kPathNotAllowed,
                  "'" + name + "' does not lie in a folder that Core may read it from");
  }
  if (!error && !fs::exists(resolved, error) && !error) {
    error = std::make_error_code(std::errc::no_such_file_or_directory);
  }
  if (error) return ErrnoStatus(error.value(), "cannot open '" + name + "'");
  return resolved;
}

}  // namespace mlos
