// SPDX-License-Identifier: MIT
#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <memory>
#include <utility>

#include "base/files.h"
#include "base/text.h"
#include "package/archive.h"

namespace mlos::package {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kCopyBytes = std::size_t{1} << 20;

/// A tar that is being written to a descriptor. GNU's format keeps names as bytes and sizes of any
/// length; pax would convert the names by the locale.
class TarWriter {
 public:
  TarWriter(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}

  Status Open(Compression compression) {
    handle_.reset(archive_write_new());
    archive* const a = handle_.get();
    if (a == nullptr) return {Reason::kOutOfMemory, "no memory for writing an archive"};
    archive_write_set_format_gnutar(a);
    if (compression == Compression::kGzip) {
      archive_write_add_filter_gzip(a);
      // The time of packing would make equal input unequal.
      archive_write_set_options(a, "gzip:!timestamp");
    } else if (compression == Compression::kZstd) {
      archive_write_add_filter_zstd(a);
    }
    return Check(archive_write_open_fd(a, fd_));
  }

  Status Begin(const std::string& path, std::uint64_t size_bytes) {
    constexpr unsigned kMode = 0644;
    const std::unique_ptr<archive_entry, decltype(&archive_entry_free)> entry(archive_entry_new(),
                                                                              archive_entry_free);
    archive_entry_set_pathname(entry.get(), path.c_str());
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), kMode);
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(size_bytes));
    archive_entry_set_mtime(entry.get(), 0, 0);
    return Check(archive_write_header(handle_.get(), entry.get()));
  }

  Status Append(std::string_view bytes) {
    const la_ssize_t written = archive_write_data(handle_.get(), bytes.data(), bytes.size());
    return Check(written == static_cast<la_ssize_t>(bytes.size()) ? ARCHIVE_OK : ARCHIVE_FATAL);
  }

  Status Finish() {
    MLOS_TRY(Check(archive_write_close(handle_.get())));
    return ::fsync(fd_) == 0 ? OkStatus() : ErrnoStatus(errno, "cannot sync " + name_);
  }

 private:
  struct Free {
    void operator()(archive* handle) const { archive_write_free(handle); }
  };

  Status Check(int outcome) const {
    if (outcome == ARCHIVE_OK || outcome == ARCHIVE_WARN) return OkStatus();
    const int error = archive_errno(handle_.get());
    return ErrnoStatus(error > 0 ? error : EIO, "cannot write " + name_);
  }

  const int fd_;
  const std::string name_;
  std::unique_ptr<archive, Free> handle_;
};

Status Changed(const FileEntry& file) {
  return {Reason::kChecksumMismatch,
          "'" + Excerpt(file.path) + "' differs from the manifest; `axon verify` shows how"};
}

/// Appends `size_bytes` of an open file to the entry begun last, and digests them on the way.
Status CopyInto(TarWriter& tar, int fd, const FileEntry& file, std::uint64_t size_bytes,
                Hasher& hasher, const HashProgress& progress) {
  std::string buffer(kCopyBytes, '\0');
  for (std::uint64_t left = size_bytes; left > 0;) {
    const ssize_t count = ::read(fd, buffer.data(), std::min<std::uint64_t>(left, buffer.size()));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ErrnoStatus(errno, "cannot read " + Excerpt(file.path));
    if (count == 0) return Changed(file);
    const std::string_view bytes(buffer.data(), static_cast<std::size_t>(count));
    hasher.Update(bytes);
    MLOS_TRY(tar.Append(bytes));
    if (progress && !progress(bytes.size())) return {Reason::kCancelled, "packing was stopped"};
    left -= bytes.size();
  }
  return OkStatus();
}

Status AddFile(const fs::path& directory, const FileEntry& file, TarWriter& tar,
               const HashProgress& progress) {
  const UniqueFd fd = MLOS_TRY(OpenBeneath(directory, file.path));
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) return Changed(file);
  const auto size_bytes = static_cast<std::uint64_t>(info.st_size);
  if (file.sha256 && size_bytes != file.size_bytes) return Changed(file);
  MLOS_TRY(tar.Begin(file.path, size_bytes));
  Hasher hasher = Hasher::Sha256();
  MLOS_TRY(CopyInto(tar, fd.get(), file, size_bytes, hasher, progress));
  return file.sha256 && hasher.FinishDigest() != *file.sha256 ? Changed(file) : OkStatus();
}

/// Files and execution files, each once, by path.
std::map<std::string, FileEntry> FilesOf(const Manifest& manifest) {
  std::map<std::string, FileEntry> files;
  for (const FileEntry& file : manifest.format.files) files.emplace(file.path, file);
  for (const ExecutionFile& file : manifest.format.execution_files) {
    files.emplace(file.path, FileEntry{.path = file.path});
  }
  return files;
}

Status WriteTar(const fs::path& directory, const Manifest& manifest, TarWriter& tar,
                Compression compression, const HashProgress& progress) {
  const std::string text = WriteManifest(manifest);
  MLOS_TRY(tar.Open(compression));
  MLOS_TRY(tar.Begin(std::string(kManifestFileName), text.size()));
  MLOS_TRY(tar.Append(text));
  for (const auto& [path, file] : FilesOf(manifest)) {
    MLOS_TRY(AddFile(directory, file, tar, progress));
  }
  return tar.Finish();
}

}  // namespace

Compression CompressionOf(const fs::path& archive) {
  const std::string suffix = archive.extension().string();
  if (suffix == ".gz" || suffix == ".tgz") return Compression::kGzip;
  return suffix == ".zst" ? Compression::kZstd : Compression::kNone;
}

Status WriteArchive(const fs::path& directory, const Manifest& manifest, const fs::path& archive,
                    Compression compression, const HashProgress& progress) {
  MLOS_TRY(CheckManifest(manifest));
  const std::string name = archive.filename().string();
  const std::string temporary = archive.string() + ".tmp." + std::to_string(::getpid());
  const UniqueFd fd = MLOS_TRY(CreateFile(temporary, 0644, name));
  TarWriter tar(fd.get(), name);
  Status written = WriteTar(directory, manifest, tar, compression, progress);
  if (written.ok() && ::rename(temporary.c_str(), archive.c_str()) != 0) {
    written = ErrnoStatus(errno, "cannot create " + name);
  }
  if (!written.ok()) {
    ::unlink(temporary.c_str());
    return written;
  }
  return FsyncDirectory(archive.has_parent_path() ? archive.parent_path() : ".");
}

}  // namespace mlos::package
