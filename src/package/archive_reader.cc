// SPDX-License-Identifier: MIT
#include "package/archive_reader.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/files.h"
#include "base/text.h"

namespace mlos::package {
namespace {

constexpr std::size_t kBlockBytes = 64 << 10;
constexpr la_int64_t kTarHeaderBytes = 512;
/// A few bytes of archive may well become a few thousand; only an archive that continues like that
/// is a bomb.
constexpr std::uint64_t kRatioGraceBytes = 1 << 20;
constexpr std::ptrdiff_t kFolderLevelsMax = 32;

Status Invalid(std::string message) { return {Reason::kInvalidPackage, std::move(message)}; }

Status InvalidEntry(std::string_view path, std::string_view problem) {
  return Invalid("entry '" + Excerpt(path) + "' " + std::string(problem));
}

/// `tar -C folder .` writes "./model.onnx", and any tar a slash after a folder.
std::string_view Trimmed(std::string_view path) {
  if (path.starts_with("./")) path.remove_prefix(2);
  if (path.ends_with('/')) path.remove_suffix(1);
  return path;
}

Status CheckPath(std::string_view path) {
  if (!IsSafeRelativePath(path) || !IsValidUtf8(path)) {
    return InvalidEntry(path, "is not a plain relative path");
  }
  if (std::count(path.begin(), path.end(), '/') < kFolderLevelsMax) return OkStatus();
  return InvalidEntry(path, "lies too deep");
}

/// An order in which a folder is followed by everything in it.
bool FolderFirst(const ArchiveReader::Entry& a, const ArchiveReader::Entry& b) {
  return std::lexicographical_compare(
      a.path.begin(), a.path.end(), b.path.begin(), b.path.end(),
      [](char x, char y) { return (x == '/' ? '\0' : x) < (y == '/' ? '\0' : y); });
}

}  // namespace

void ArchiveReader::Free::operator()(archive* handle) const { archive_read_free(handle); }

Result<UniqueFd> ArchiveReader::OpenFile(const std::filesystem::path& archive) {
  const std::string name = archive.filename().string();
  UniqueFd fd(::open(archive.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat info{};
  if (!fd.valid()) return ErrnoStatus(errno, "cannot open " + name);
  if (::fstat(fd.get(), &info) != 0) return ErrnoStatus(errno, "cannot read " + name);
  if (!S_ISREG(info.st_mode)) return Invalid(name + " is not a regular file");
  return fd;
}

Result<std::unique_ptr<ArchiveReader>> ArchiveReader::Create(int fd, const ArchiveLimits& limits) {
  std::unique_ptr<ArchiveReader> reader(new ArchiveReader(fd, limits));
  MLOS_TRY(reader->Open());
  return reader;
}

Status ArchiveReader::Open() {
  struct stat info{};
  if (::fstat(fd_, &info) != 0 || ::lseek(fd_, 0, SEEK_SET) != 0) {
    return ErrnoStatus(errno, "cannot read the archive");
  }
  file_bytes_ = static_cast<std::uint64_t>(info.st_size);
  handle_.reset(archive_read_new());
  archive* const a = handle_.get();
  if (a == nullptr) return {Reason::kOutOfMemory, "no memory for reading an archive"};
  archive_read_support_format_tar(a);
  archive_read_support_filter_gzip(a);
  archive_read_support_filter_zstd(a);
  if (GzipSource::Fits(fd_)) gzip_ = std::make_unique<GzipSource>(fd_);
  const int opened = gzip_ != nullptr ? archive_read_open(a, this, nullptr, &Pull, nullptr)
                                      : archive_read_open_fd(a, fd_, kBlockBytes);
  if (opened != ARCHIVE_OK) return Malformed();
  // The library peels layers off as long as it finds some; the tar itself counts as one.
  const int layers = archive_filter_count(a) + (gzip_ != nullptr ? 1 : 0);
  if (layers > 2) return Invalid("the archive is compressed more than once");
  compressed_ = layers > 1;
  return OkStatus();
}

ssize_t ArchiveReader::Pull(archive* handle, void* self, const void** piece) {
  auto& reader = *static_cast<ArchiveReader*>(self);
  const Result<std::string_view> next = reader.gzip_->Next();
  if (!next.ok()) {
    reader.gzip_status_ = next.status();
    archive_set_error(handle, EIO, "not a whole gzip file");
    return ARCHIVE_FATAL;
  }
  *piece = next->data();
  return static_cast<ssize_t>(next->size());
}

Status ArchiveReader::ReadToEnd() {
  while (gzip_ != nullptr) {
    MLOS_TRY(CheckRatio());
    if (MLOS_TRY(gzip_->Next()).empty()) break;
  }
  return OkStatus();
}

Status ArchiveReader::Malformed() const {
  if (!gzip_status_.ok()) return gzip_status_;
  const char* words = archive_error_string(handle_.get());
  return Invalid("not a readable .axon archive (tar, tar.gz or tar.zst): " +
                 Excerpt(words == nullptr ? "unknown format" : words));
}

Result<bool> ArchiveReader::Next(Entry& entry) {
  if (!data_read_) MLOS_TRY(PassOver());
  while (true) {
    archive_entry* raw = nullptr;
    const int outcome = archive_read_next_header(handle_.get(), &raw);
    if (outcome == ARCHIVE_EOF) {
      MLOS_TRY(ReadToEnd());
      return false;
    }
    // A warning is a name that the locale cannot show; the bytes are there all the same.
    if (outcome != ARCHIVE_OK && outcome != ARCHIVE_WARN) return Malformed();
    MLOS_TRY(TakeEntry(raw, entry));
    if (!entry.path.empty()) return true;
  }
}

Status ArchiveReader::TakeEntry(archive_entry* raw, Entry& entry) {
  const char* name = archive_entry_pathname(raw);
  if (name == nullptr) return Invalid("an entry has no readable name");
  MLOS_TRY(CheckKind(raw, name));
  entry.is_folder = archive_entry_filetype(raw) == AE_IFDIR;
  entry.size_bytes = static_cast<std::uint64_t>(archive_entry_size(raw));
  entry.path = Trimmed(name);
  const bool is_root = entry.is_folder && (entry.path.empty() || entry.path == ".");
  if (is_root) entry.path.clear();
  if (!is_root) MLOS_TRY(CheckPath(entry.path));
  if (!entry.is_folder && std::string_view(name).ends_with('/')) {
    return InvalidEntry(name, "is a file with the name of a folder");
  }
  MLOS_TRY(CheckBudget(entry));
  size_bytes_ = entry.size_bytes;
  data_read_ = false;
  return OkStatus();
}

Status ArchiveReader::CheckKind(archive_entry* raw, std::string_view path) const {
  if (archive_entry_hardlink(raw) != nullptr) return InvalidEntry(path, "is a hard link");
  const auto type = archive_entry_filetype(raw);
  if (type == AE_IFLNK) return InvalidEntry(path, "is a symbolic link");
  if (type != AE_IFREG && type != AE_IFDIR) {
    return InvalidEntry(path, "is neither a file nor a folder");
  }
  if (archive_entry_sparse_count(raw) > 0) return InvalidEntry(path, "is a sparse file");
  if (archive_entry_size(raw) < 0) return InvalidEntry(path, "has a negative size");
  if (type == AE_IFDIR && archive_entry_size(raw) != 0) {
    return InvalidEntry(path, "is a folder with data");
  }
  return OkStatus();
}

Status ArchiveReader::CheckBudget(const Entry& entry) {
  if (++entries_ > limits_.entries_max) {
    return Invalid("more than " + std::to_string(limits_.entries_max) + " entries");
  }
  if (entry.size_bytes > limits_.bytes_max - declared_bytes_) {
    return Invalid("more than " + std::to_string(limits_.bytes_max) + " bytes unpacked");
  }
  declared_bytes_ += entry.size_bytes;
  if (compressed_) return CheckRatio();
  // The library skips an uncompressed entry by seeking, which the end of the file does not stop.
  const la_int64_t header = archive_read_header_position(handle_.get()) + kTarHeaderBytes;
  const auto start =
      static_cast<std::uint64_t>(std::max(header, archive_filter_bytes(handle_.get(), 0)));
  if (start > file_bytes_ || entry.size_bytes > file_bytes_ - start) {
    return InvalidEntry(entry.path, "is cut off");
  }
  return OkStatus();
}

Status ArchiveReader::CheckRatio() const {
  archive* const a = handle_.get();
  const std::uint64_t unpacked = gzip_ != nullptr
                                     ? gzip_->unpacked_bytes()
                                     : static_cast<std::uint64_t>(archive_filter_bytes(a, 0));
  const std::uint64_t packed = gzip_ != nullptr
                                   ? gzip_->packed_bytes()
                                   : static_cast<std::uint64_t>(archive_filter_bytes(a, -1));
  const std::uint64_t ratio = unpacked / std::max<std::uint64_t>(packed, 1);
  if (unpacked <= kRatioGraceBytes || ratio <= limits_.ratio_max) return OkStatus();
  return Invalid("the archive unpacks to more than " + std::to_string(limits_.ratio_max) +
                 " times its size");
}

Status ArchiveReader::PassOver() {
  // Skipping an entry of a compressed archive means unpacking it, and a bomb must not run to its
  // end.
  if (compressed_) return Read([](std::string_view) { return OkStatus(); });
  data_read_ = true;
  return archive_read_data_skip(handle_.get()) == ARCHIVE_OK ? OkStatus() : Malformed();
}

Status ArchiveReader::Read(const Sink& sink) {
  data_read_ = true;
  std::uint64_t total = 0;
  while (true) {
    const void* block = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    const int outcome = archive_read_data_block(handle_.get(), &block, &size, &offset);
    if (outcome == ARCHIVE_EOF) break;
    if (outcome != ARCHIVE_OK) return Malformed();
    if (offset < 0 || static_cast<std::uint64_t>(offset) != total || size > size_bytes_ - total) {
      return Invalid("an entry's data is not as long as its header says");
    }
    if (compressed_) MLOS_TRY(CheckRatio());
    MLOS_TRY(sink(std::string_view(static_cast<const char*>(block), size)));
    total += size;
  }
  if (total == size_bytes_) return OkStatus();
  return Invalid("an entry's data is not as long as its header says");
}

Status CheckArchiveNames(std::vector<ArchiveReader::Entry> entries) {
  std::sort(entries.begin(), entries.end(), FolderFirst);
  for (std::size_t i = 1; i < entries.size(); ++i) {
    const ArchiveReader::Entry& before = entries[i - 1];
    const std::string& path = entries[i].path;
    if (path == before.path) return InvalidEntry(path, "is there twice");
    if (before.is_folder || !path.starts_with(before.path)) continue;
    if (path[before.path.size()] == '/') {
      return InvalidEntry(before.path, "is a file and a folder");
    }
  }
  return OkStatus();
}

}  // namespace mlos::package
