// SPDX-License-Identifier: MIT
#include "axon/fetch/partial_file.h"

#include <fcntl.h>
#include <simdjson.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "axon/ui/json_writer.h"
#include "base/files.h"

namespace axon::fetch {
namespace {

using mlos::ErrnoStatus;
using mlos::Reason;
using mlos::Result;
using mlos::Status;
using mlos::UniqueFd;

constexpr std::size_t kNoteBytesMax = 64 << 10;

/// True while `path` still names the open file: its last holder may have removed it just before we
/// got the lock.
bool StillNamed(int fd, const std::filesystem::path& path) {
  struct stat open{};
  struct stat named{};
  return ::fstat(fd, &open) == 0 && ::lstat(path.c_str(), &named) == 0 &&
         open.st_ino == named.st_ino && open.st_dev == named.st_dev;
}

Result<UniqueFd> OpenLocked(const std::filesystem::path& path) {
  while (true) {
    UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (!fd.valid()) return ErrnoStatus(errno, "cannot open a partial download");
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EINTR) continue;
      if (errno != EWOULDBLOCK) return ErrnoStatus(errno, "cannot lock a partial download");
      return Status(Reason::kStateLocked, "another axon is downloading this file");
    }
    if (StillNamed(fd.get(), path)) return fd;
  }
}

}  // namespace

std::filesystem::path PartialFile::NotePath(const std::filesystem::path& path) {
  return path.string() + ".json";
}

Result<PartialFile> PartialFile::Open(std::filesystem::path path, std::uint64_t size_bytes_max) {
  UniqueFd fd = MLOS_TRY(OpenLocked(path));
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0) return ErrnoStatus(errno, "cannot read a partial download");
  if (!S_ISREG(info.st_mode)) {
    return Status(Reason::kUnsafePath, "a partial download is not a regular file");
  }
  PartialFile partial(std::move(path), std::move(fd));
  partial.size_bytes_ = static_cast<std::uint64_t>(info.st_size);
  if (partial.size_bytes_ > size_bytes_max) MLOS_TRY(partial.Restart());
  partial.ReadNote();
  return partial;
}

void PartialFile::ReadNote() {
  const Result<std::string> text = mlos::ReadFile(NotePath(path_), kNoteBytesMax);
  if (!text.ok()) return;
  simdjson::dom::parser parser;
  simdjson::dom::element note;
  std::string_view url;
  std::string_view etag;
  if (parser.parse(*text).get(note) != simdjson::SUCCESS) return;
  if (note["url"].get(url) != simdjson::SUCCESS) return;
  if (note["etag"].get(etag) != simdjson::SUCCESS) return;
  note_url_ = url;
  note_etag_ = etag;
}

std::string PartialFile::EtagFrom(std::string_view url) const {
  return url == note_url_ ? note_etag_ : std::string();
}

Status PartialFile::Append(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written =
        ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(size_bytes_));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return ErrnoStatus(errno, "cannot write the download");
    size_bytes_ += static_cast<std::uint64_t>(written);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return mlos::OkStatus();
}

Status PartialFile::Restart() {
  if (::ftruncate(fd_.get(), 0) != 0) return ErrnoStatus(errno, "cannot empty a partial download");
  size_bytes_ = 0;
  return mlos::OkStatus();
}

Status PartialFile::WriteNote(std::string_view url, std::string_view etag) {
  if (url == note_url_ && etag == note_etag_) return mlos::OkStatus();
  ui::JsonWriter note;
  note.BeginObject().Field("url", url).Field("etag", etag).EndObject();
  MLOS_TRY(mlos::WriteFileAtomic(NotePath(path_), note.text()));
  note_url_ = url;
  note_etag_ = etag;
  return mlos::OkStatus();
}

Status PartialFile::Replay(const std::function<bool(std::string_view)>& sink) const {
  std::vector<char> buffer(1 << 20);
  std::uint64_t offset = 0;
  while (offset < size_bytes_) {
    const ssize_t count =
        ::pread(fd_.get(), buffer.data(), buffer.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ErrnoStatus(errno, "cannot read a partial download");
    if (count == 0) return {Reason::kIoError, "a partial download became shorter"};
    if (!sink({buffer.data(), static_cast<std::size_t>(count)})) {
      return {Reason::kCancelled, "interrupted"};
    }
    offset += static_cast<std::uint64_t>(count);
  }
  return mlos::OkStatus();
}

Status PartialFile::Sync() const {
  if (::fsync(fd_.get()) != 0) return ErrnoStatus(errno, "cannot sync the download");
  return mlos::OkStatus();
}

void PartialFile::RemoveNote() { ::unlink(NotePath(path_).c_str()); }

void PartialFile::Discard() {
  RemoveNote();
  ::unlink(path_.c_str());
}

}  // namespace axon::fetch
