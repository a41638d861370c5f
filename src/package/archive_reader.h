// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"
#include "package/archive.h"
#include "package/gzip_source.h"

struct archive;
struct archive_entry;

namespace mlos::package {

/// One pass over an archive. It refuses an entry that a package must not hold as soon as it meets
/// it. Names are checked one by one; the caller checks that they fit together (CheckArchiveNames).
/// Every refusal is INVALID_PACKAGE. Thread-compatible.
class ArchiveReader {
 public:
  struct Entry {
    std::string path;
    bool is_folder = false;
    std::uint64_t size_bytes = 0;
    bool operator==(const Entry&) const = default;
  };
  using Sink = std::function<Status(std::string_view bytes)>;

  /// Opens a regular file, for any number of passes.
  static Result<UniqueFd> OpenFile(const std::filesystem::path& archive);

  /// Starts at the beginning of `fd`, which must outlive the reader.
  static Result<std::unique_ptr<ArchiveReader>> Create(int fd, const ArchiveLimits& limits);

  /// False at the end. Skips the data of the previous entry if it was not read.
  Result<bool> Next(Entry& entry);
  /// Hands all bytes of the entry to `sink`, in order.
  Status Read(const Sink& sink);

 private:
  struct Free {
    void operator()(archive* handle) const;
  };

  ArchiveReader(int fd, const ArchiveLimits& limits) : fd_(fd), limits_(limits) {}
  Status Open();
  static ssize_t Pull(archive* handle, void* self, const void** piece);
  /// What is behind the last entry: the end of a compressed file has to be right too.
  Status ReadToEnd();
  Status TakeEntry(archive_entry* raw, Entry& entry);
  Status CheckKind(archive_entry* raw, std::string_view path) const;
  Status CheckBudget(const Entry& entry);
  Status PassOver();
  Status CheckRatio() const;
  /// INVALID_PACKAGE with the library's own message, or the failure of `gzip_`.
  Status Malformed() const;

  const int fd_;
  const ArchiveLimits limits_;
  /// Of a gzip file, and its failure; outlive `handle_`, which reads from it.
  std::unique_ptr<GzipSource> gzip_;
  Status gzip_status_;
  std::unique_ptr<archive, Free> handle_;
  bool compressed_ = false;
  std::uint64_t file_bytes_ = 0;
  std::uint64_t entries_ = 0;
  std::uint64_t declared_bytes_ = 0;
  /// Of the current entry.
  std::uint64_t size_bytes_ = 0;
  bool data_read_ = true;
};

/// Refuses repeated names, and files that are the folder of another entry.
Status CheckArchiveNames(std::vector<ArchiveReader::Entry> entries);

}  // namespace mlos::package
