// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"
#include "package/archive.h"

struct archive;
struct archive_entry;

namespace mlos::package {

/// One pass over an archive that refuses, at the entry where it shows, whatever a package must not
/// hold. Names are checked one by one; that they fit together is for who has them all. Every
/// refusal is INVALID_PACKAGE. Thread-compatible.
class ArchiveReader {
 public:
  struct Entry {
    std::string path;
    bool is_folder = false;
    std::uint64_t size_bytes = 0;
    bool operator==(const Entry&) const = default;
  };
  using Sink = std::function<Status(std::string_view bytes)>;

  /// Opens a regular file for as many passes as are wanted.
  static Result<UniqueFd> OpenFile(const std::filesystem::path& archive);

  /// Starts at the beginning of `fd`, which must outlive the reader.
  static Result<std::unique_ptr<ArchiveReader>> Create(int fd, const ArchiveLimits& limits);

  /// False at the end. The data of the entry before, if nobody read it, is passed over.
  Result<bool> Next(Entry& entry);
  /// Hands all bytes of the entry to `sink`, in order.
  Status Read(const Sink& sink);

 private:
  struct Free {
    void operator()(archive* handle) const;
  };

  ArchiveReader(int fd, const ArchiveLimits& limits) : fd_(fd), limits_(limits) {}
  Status Open();
  Status TakeEntry(archive_entry* raw, Entry& entry);
  Status CheckKind(archive_entry* raw, std::string_view path) const;
  Status CheckBudget(const Entry& entry);
  Status PassOver();
  Status CheckRatio() const;
  /// INVALID_PACKAGE with the library's own words.
  Status Malformed() const;

  const int fd_;
  const ArchiveLimits limits_;
  std::unique_ptr<archive, Free> handle_;
  bool compressed_ = false;
  std::uint64_t file_bytes_ = 0;
  std::uint64_t entries_ = 0;
  std::uint64_t declared_bytes_ = 0;
  /// Of the current entry.
  std::uint64_t size_bytes_ = 0;
  bool data_read_ = true;
};

/// Refuses names that are there twice, and files that are the folder of another entry.
Status CheckArchiveNames(std::vector<ArchiveReader::Entry> entries);

}  // namespace mlos::package
