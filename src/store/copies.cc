// SPDX-License-Identifier: MIT
#include "store/copies.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/files.h"
#include "base/text.h"

namespace mlos::store {
namespace {

namespace fs = std::filesystem;

// Nobody is to write to a copy, Core itself neither.
constexpr unsigned kFileMode = 0400;

std::uint64_t TotalOf(const package::ModelFiles& files) {
  std::uint64_t bytes = 0;
  for (const package::FileEntry& file : files.files) bytes += file.size_bytes;
  return bytes;
}

/// Copies the bytes and digests those that it writes.
Result<package::FileDigest> CopyBytes(int from, int to, const std::string& name) {
  constexpr std::size_t kBlock = std::size_t{1} << 20;
  std::vector<char> block(kBlock);
  package::Hasher hasher = package::Hasher::Sha256();
  std::uint64_t size_bytes = 0;
  while (true) {
    const ssize_t got = ::read(from, block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus(errno, "cannot read " + name);
    if (got == 0) break;
    const std::string_view bytes(block.data(), static_cast<std::size_t>(got));
    hasher.Update(bytes);
    MLOS_TRY(WriteAll(to, bytes, "cannot copy " + name));
    size_bytes += bytes.size();
  }
  return package::FileDigest{hasher.FinishDigest(), size_bytes};
}

/// Shares the blocks of the original where the file system can, which takes no room and no time.
Result<package::FileDigest> CopyFile(int from, int to, const std::string& name) {
  if (::ioctl(to, FICLONE, from) == 0) return package::DigestOpenFile(to, name);
  return CopyBytes(from, to, name);
}

Status MakeParents(const fs::path& file, const std::string& name) {
  std::error_code error;
  fs::create_directories(file.parent_path(), error);
  return error ? ErrnoStatus(error.value(), "cannot create the folder of " + name) : OkStatus();
}

/// `files` as they lie in `folder`. Models that are called otherwise may have the same digest: that
/// alone names a copy's files, so that whoever makes it makes it for all of them.
package::ModelFiles LaidOut(package::ModelFiles files, fs::path folder) {
  std::vector<std::string> names = package::NamesForCopies(files);
  files.directory = std::move(folder);
  for (std::size_t i = 0; i < names.size(); ++i) {
    package::FileEntry& file = files.files[i];
    if (file.path == files.graph) files.graph = names[i];
    file.path = std::move(names[i]);
  }
  return files;
}

/// Whether its files are those that are to be served.
bool IsWhole(const package::ModelFiles& copy, const package::FileDigester& digester) {
  return std::ranges::all_of(copy.files, [&](const package::FileEntry& file) {
    const auto digest = digester(copy.directory, file.path);
    return digest.ok() && digest->sha256 == file.sha256;
  });
}

}  // namespace

Result<std::unique_ptr<Copies>> Copies::Open(const fs::path& directory,
                                             const OwnedFolders::IsUsed& is_used,
                                             std::uint64_t bytes_max) {
  auto folders = MLOS_TRY(OwnedFolders::Open(directory, is_used));
  return std::unique_ptr<Copies>(new Copies(std::move(folders), bytes_max));
}

Result<Copies::Copy> Copies::Take(const package::ModelFiles& files, const FileOpener& open,
                                  const package::FileDigester& digester,
                                  const OnCopied& on_copied) {
  const std::string name = NameOf(files.digest.ToString());
  Copy copy{.files = LaidOut(files, folders_->PathOf(name)), .pin = folders_->Hold(name)};
  {
    const auto making = making_.TryLock(name, kNoDeadline);
    std::error_code error;
    const bool there = fs::is_directory(copy.files.directory, error);
    if (!there || !IsWhole(copy.files, digester)) {
      MLOS_TRY(CheckRoom(files));
      MLOS_TRY(Make(files, copy.files, open, on_copied));
    }
  }
  // The original could have been another file while it was looked into.
  MLOS_TRY(package::ReadFacts(copy.files));
  return copy;
}

Status Copies::CheckRoom(const package::ModelFiles& files) const {
  const std::uint64_t bytes = TotalOf(files);
  const std::string wanted =
      "serving the model needs a copy of its " + std::to_string(bytes) + " bytes";
  if (bytes_max_ != 0 && folders_->TotalBytes() + bytes > bytes_max_) {
    return {Reason::kDiskFull, wanted + ", which is more than model_copies_bytes_max leaves"};
  }
  const std::uint64_t free_bytes = MLOS_TRY(FreeDiskBytes(folders_->PathOf("")));
  if (bytes > free_bytes) {
    return {Reason::kDiskFull, wanted + " in the state folder, whose disk has " +
                                   std::to_string(free_bytes) + " bytes left"};
  }
  return OkStatus();
}

Status Copies::Make(const package::ModelFiles& files, const package::ModelFiles& copy,
                    const FileOpener& open, const OnCopied& on_copied) {
  const fs::path staged = MLOS_TRY(folders_->Stage());
  const auto fill = [&]() -> Status {
    for (std::size_t i = 0; i < files.files.size(); ++i) {
      const package::FileEntry& file = files.files[i];
      const std::string name = Excerpt(file.path);
      const fs::path place = staged / copy.files[i].path;
      const UniqueFd from = MLOS_TRY(open(files.directory, file.path));
      MLOS_TRY(MakeParents(place, name));
      const UniqueFd to = MLOS_TRY(CreateFile(place, kFileMode, name));
      const package::FileDigest digest = MLOS_TRY(CopyFile(from.get(), to.get(), name));
      if (digest.sha256 != file.sha256) {
        return {Reason::kChecksumMismatch, "'" + name + "' changed while it was read"};
      }
      on_copied(to.get(), digest);
    }
    return OkStatus();
  };
  if (Status filled = fill(); !filled.ok()) {
    folders_->Discard(staged);
    return filled;
  }
  return folders_->Publish(staged, NameOf(files.digest.ToString()));
}

std::optional<std::uint64_t> Copies::BytesOf(std::string_view digest) const {
  return folders_->BytesOf(NameOf(digest));
}

}  // namespace mlos::store
