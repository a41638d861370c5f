// SPDX-License-Identifier: MIT
#include "catalog/digest_log.h"

#include <algorithm>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/files.h"
#include "base/log.h"

namespace mlos::catalog {
namespace {

constexpr unsigned kLogMode = 0600;
// Room for four times the lines that a memory of the usual size lets grow.
constexpr std::uint64_t kLogBytesMax = 32 << 20;

std::string Sealed(const std::string& text) {
  return package::DigestOf(text).Hex() + " " + text + "\n";
}

/// Empty where the line is not as it was written.
std::string_view Unsealed(std::string_view line) {
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return {};
  const std::string_view text = line.substr(space + 1);
  return line.substr(0, space) == package::DigestOf(text).Hex() ? text : std::string_view();
}

std::string Beginning() { return Sealed("mlos-digests 1 " + BootId()); }

std::string LineOf(const KnownDigest& known) {
  std::ostringstream text;
  text << known.state.device << ' ' << known.state.inode << ' ' << known.state.modified << ' '
       << known.state.changed << ' ' << known.state.size_bytes << ' ' << known.sha256.Hex();
  return Sealed(text.str());
}

std::optional<KnownDigest> ReadKnown(std::string_view line) {
  std::istringstream text{std::string(Unsealed(line))};
  KnownDigest known;
  FileState& state = known.state;
  std::string hex;
  text >> state.device >> state.inode >> state.modified >> state.changed >> state.size_bytes >> hex;
  auto digest = package::Digest::ParseHex(hex);
  if (text.fail() || !digest.ok()) return std::nullopt;
  known.sha256 = *digest;
  return known;
}

/// The lines of this boot.
std::vector<KnownDigest> ReadAll(const std::filesystem::path& path) {
  std::vector<KnownDigest> all;
  const Result<std::string> bytes = ReadFile(path, kLogBytesMax);
  if (!bytes.ok()) return all;
  std::string_view text = *bytes;
  const std::string beginning = Beginning();
  if (!text.starts_with(beginning)) return all;
  text.remove_prefix(beginning.size());
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (auto known = ReadKnown(text.substr(0, end))) all.push_back(*known);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return all;
}

}  // namespace

DigestLog::DigestLog(std::filesystem::path path, std::vector<KnownDigest>& known)
    : path_(std::move(path)) {
  if (path_.empty() || BootId().empty()) return;
  known = ReadAll(path_);
  // Also ends a line that was being written when the last process died.
  Rewrite(known);
}

void DigestLog::Rewrite(const std::vector<KnownDigest>& known) {
  if (path_.empty()) return;
  std::string text = Beginning();
  for (const KnownDigest& one : known) text += LineOf(one);
  lines_ = known.size();
  const std::string name = path_.filename();
  fd_.Reset();
  Result<UniqueFd> fd = CreateFile(path_, kLogMode, name);
  Status written = fd.status();
  if (fd.ok()) written = WriteAll(fd->get(), text, "cannot write " + name);
  if (written.ok()) {
    fd_ = std::move(fd).value();
  } else {
    Log(LogLevel::kWarning, "digests not kept; after a restart models load more slowly",
        {LogField(written)});
  }
}

void DigestLog::Append(const KnownDigest& known) {
  if (!fd_.valid()) return;
  ++lines_;
  // What is written behind half a line would be lost with it.
  const Status written = WriteAll(fd_.get(), LineOf(known), "cannot write digests");
  if (!written.ok()) fd_.Reset();
}

}  // namespace mlos::catalog
