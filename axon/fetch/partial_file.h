// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

namespace axon::fetch {

/// The first bytes of a download, kept in a file so that another process can continue it. A note
/// beside it, `<file>.json`, names the source of the bytes. Without a note they can still be used,
/// because the digest of the whole file decides in the end. Locked while open. Thread-compatible.
class PartialFile {
 public:
  /// Opens or creates `path`. If it is longer than `size_bytes_max`, it cannot be a part of the
  /// wanted file and is emptied. STATE_LOCKED if another process uses it.
  static mlos::Result<PartialFile> Open(std::filesystem::path path, std::uint64_t size_bytes_max);

  const std::filesystem::path& path() const { return path_; }
  std::uint64_t size_bytes() const { return size_bytes_; }
  /// The ETag that came with these bytes from `url`; empty if none is known.
  std::string EtagFrom(std::string_view url) const;

  /// DISK_FULL or IO_ERROR leave the file at a length that size_bytes() tells.
  mlos::Status Append(std::string_view bytes);
  /// Forgets all bytes.
  mlos::Status Restart();
  /// Notes the source of the bytes.
  mlos::Status WriteNote(std::string_view url, std::string_view etag);
  /// Removes the note of a file that is whole.
  void RemoveNote();
  /// Hands every byte to `sink`, in order; `sink` returns false to stop with CANCELLED.
  mlos::Status Replay(const std::function<bool(std::string_view)>& sink) const;
  mlos::Status Sync() const;
  /// Removes the file and its note.
  void Discard();

  /// The note that belongs to a partial file.
  static std::filesystem::path NotePath(const std::filesystem::path& path);

 private:
  PartialFile(std::filesystem::path path, mlos::UniqueFd fd)
      : path_(std::move(path)), fd_(std::move(fd)) {}
  void ReadNote();

  std::filesystem::path path_;
  mlos::UniqueFd fd_;
  std::uint64_t size_bytes_ = 0;
  std::string note_url_;
  std::string note_etag_;
};

}  // namespace axon::fetch
