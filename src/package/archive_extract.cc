// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <set>
#include <utility>

#include "base/files.h"
#include "base/text.h"
#include "package/archive_reader.h"

namespace mlos::package {
namespace {

namespace fs = std::filesystem;
using Entry = ArchiveReader::Entry;

/// The first pass: everything that can be refused is refused before a byte is written.
Result<std::vector<Entry>> Survey(int fd, const ArchiveLimits& limits) {
  const auto reader = MLOS_TRY(ArchiveReader::Create(fd, limits));
  std::vector<Entry> entries;
  Entry entry;
  while (MLOS_TRY(reader->Next(entry))) entries.push_back(entry);
  MLOS_TRY(CheckArchiveNames(entries));
  return entries;
}

std::vector<ArchiveFile> FilesOf(const std::vector<Entry>& entries) {
  std::vector<ArchiveFile> files;
  for (const Entry& entry : entries) {
    if (!entry.is_folder) files.push_back({entry.path, entry.size_bytes});
  }
  return files;
}

Status CheckFreeSpace(const fs::path& staging, const std::vector<Entry>& entries) {
  std::uint64_t wanted = 0;
  for (const Entry& entry : entries) wanted += entry.size_bytes;
  const std::uint64_t free = MLOS_TRY(FreeDiskBytes(staging));
  if (wanted <= free) return OkStatus();
  return {Reason::kDiskFull, "the package needs " + std::to_string(wanted) +
                                 " bytes, the disk has " + std::to_string(free) + " free"};
}

/// Creates files and folders below one folder, each step by a descriptor of the step before, so
/// that nothing on the way can be exchanged for a link.
class StagingWriter {
 public:
  static Result<StagingWriter> Open(const fs::path& staging) {
    UniqueFd root(::open(staging.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!root.valid()) return ErrnoStatus(errno, "cannot open the staging folder");
    std::error_code error;
    const bool empty = fs::is_empty(staging, error);
    if (error) return ErrnoStatus(error.value(), "cannot list the staging folder");
    if (!empty) {
      return Status(Reason::kAlreadyExists, "the staging folder is not empty");
    }
    return StagingWriter(std::move(root));
  }

  Status AddFolder(std::string_view path) { return OpenFolder(path).status(); }

  Status AddFile(ArchiveReader& reader, const std::string& path) {
    const std::size_t slash = path.rfind('/');
    const bool at_root = slash == std::string::npos;
    const UniqueFd folder = MLOS_TRY(
        OpenFolder(at_root ? std::string_view() : std::string_view(path).substr(0, slash)));
    const std::string name = at_root ? path : path.substr(slash + 1);
    const UniqueFd fd(::openat(folder.get(), name.c_str(),
                               O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
    if (!fd.valid()) return ErrnoStatus(errno, "cannot create " + Excerpt(path));
    const std::string what = "cannot write " + Excerpt(path);
    MLOS_TRY(reader.Read([&](std::string_view bytes) { return WriteAll(fd.get(), bytes, what); }));
    return ::fsync(fd.get()) == 0 ? OkStatus() : ErrnoStatus(errno, "cannot sync " + Excerpt(path));
  }

  /// Makes the names of all files and folders durable.
  Status Sync() {
    for (const std::string& path : folders_) {
      const UniqueFd folder = MLOS_TRY(OpenFolder(path));
      if (::fsync(folder.get()) != 0) return ErrnoStatus(errno, "cannot sync " + Excerpt(path));
    }
    return ::fsync(root_.get()) == 0 ? OkStatus() : ErrnoStatus(errno, "cannot sync the folder");
  }

 private:
  explicit StagingWriter(UniqueFd root) : root_(std::move(root)) {}

  /// Opens a folder below the root and creates its missing parts.
  Result<UniqueFd> OpenFolder(std::string_view path) {
    UniqueFd folder(::openat(root_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder.valid()) return ErrnoStatus(errno, "cannot open the staging folder");
    for (std::size_t start = 0; start < path.size();) {
      const std::size_t end = std::min(path.find('/', start), path.size());
      folder = MLOS_TRY(OpenStep(folder.get(), std::string(path.substr(start, end - start))));
      folders_.emplace(path.substr(0, end));
      start = end + 1;
    }
    return folder;
  }

  static Result<UniqueFd> OpenStep(int parent, const std::string& name) {
    if (::mkdirat(parent, name.c_str(), 0755) != 0 && errno != EEXIST) {
      return ErrnoStatus(errno, "cannot create folder " + Excerpt(name));
    }
    UniqueFd folder(
        ::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!folder.valid()) return ErrnoStatus(errno, "cannot open folder " + Excerpt(name));
    return folder;
  }

  UniqueFd root_;
  std::set<std::string> folders_;
};

/// The second pass. The file may have been changed since the first: every entry must be the same.
Status Unpack(int fd, const ArchiveLimits& limits, const std::vector<Entry>& surveyed,
              StagingWriter& writer) {
  const auto reader = MLOS_TRY(ArchiveReader::Create(fd, limits));
  std::size_t index = 0;
  Entry entry;
  while (MLOS_TRY(reader->Next(entry))) {
    if (index == surveyed.size() || surveyed[index] != entry) {
      return {Reason::kConflict, "the archive changed while it was read"};
    }
    ++index;
    MLOS_TRY(entry.is_folder ? writer.AddFolder(entry.path) : writer.AddFile(*reader, entry.path));
  }
  return writer.Sync();
}

}  // namespace

Result<std::vector<ArchiveFile>> ListArchive(const fs::path& archive, const ArchiveLimits& limits) {
  const UniqueFd fd = MLOS_TRY(ArchiveReader::OpenFile(archive));
  return FilesOf(MLOS_TRY(Survey(fd.get(), limits)));
}

Result<ParsedManifest> ReadArchivedManifest(const fs::path& archive, const ArchiveLimits& limits) {
  const UniqueFd fd = MLOS_TRY(ArchiveReader::OpenFile(archive));
  const auto reader = MLOS_TRY(ArchiveReader::Create(fd.get(), limits));
  Entry entry;
  while (MLOS_TRY(reader->Next(entry))) {
    if (entry.is_folder || entry.path != kManifestFileName) continue;
    if (entry.size_bytes > kManifestBytesMax) {
      return Status(Reason::kInvalidManifest, "the manifest is larger than 1 MiB");
    }
    std::string text;
    MLOS_TRY(reader->Read([&](std::string_view bytes) {
      text.append(bytes);
      return OkStatus();
    }));
    return ParseManifest(text);
  }
  return Status(Reason::kInvalidPackage, "the archive has no manifest.yaml");
}

Result<std::vector<ArchiveFile>> ExtractArchive(const fs::path& archive, const fs::path& staging,
                                                const ArchiveLimits& limits) {
  const UniqueFd fd = MLOS_TRY(ArchiveReader::OpenFile(archive));
  const std::vector<Entry> entries = MLOS_TRY(Survey(fd.get(), limits));
  StagingWriter writer = MLOS_TRY(StagingWriter::Open(staging));
  MLOS_TRY(CheckFreeSpace(staging, entries));
  MLOS_TRY(Unpack(fd.get(), limits, entries, writer));
  return FilesOf(entries);
}

}  // namespace mlos::package
