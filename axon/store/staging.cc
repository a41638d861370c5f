// SPDX-License-Identifier: MIT
#include "axon/store/staging.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "axon/store/walk.h"
#include "base/files.h"

namespace axon::store {
namespace {

namespace fs = std::filesystem;
using mlos::ErrnoStatus;
using mlos::FileLock;
using mlos::ModelId;
using mlos::Reason;
using mlos::Result;
using mlos::Status;
using mlos::UniqueFd;
using mlos::package::Digest;
using mlos::package::HashProgress;

/// Locks the folder for its owner; an invalid descriptor if another process owns it.
UniqueFd LockFolder(const fs::path& folder) {
  UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (fd.valid() && ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) fd.Reset();
  return fd;
}

Status CreateFolders(const Layout& layout) {
  for (const fs::path& folder :
       {layout.objects(), layout.models(), layout.downloads(), layout.staging()}) {
    MLOS_TRY(mlos::CreateDirectories(folder));
  }
  return mlos::OkStatus();
}

/// Syncs every folder of a tree; the writers of its files have synced those.
Status SyncFolders(const fs::path& root) {
  Status synced = mlos::FsyncDirectory(root);
  ForEachBelow(root, [&synced](const fs::path& path, const struct stat& info) {
    if (synced.ok() && S_ISDIR(info.st_mode)) synced = mlos::FsyncDirectory(path);
    return synced.ok();
  });
  return synced;
}

Status Collides(const ModelId& id, const fs::path& other) {
  return {Reason::kConflict, id.text() + " cannot be installed beside " + other.string() +
                                 ": the folder of one would lie inside the other"};
}

/// Names may nest (`hf/a/b@v` lies where `hf/a@b` would); models may not.
Status CheckNesting(const Layout& layout, const ModelId& id, const fs::path& target) {
  for (fs::path at = target.parent_path(); at != layout.models() && at.has_relative_path();
       at = at.parent_path()) {
    if (IsModelDirectory(at)) return Collides(id, at.lexically_relative(layout.models()));
  }
  if (IsModelDirectory(target)) return mlos::OkStatus();
  Status nested;
  ForEachBelow(target, [&](const fs::path& path, const struct stat& info) {
    if (nested.ok() && S_ISDIR(info.st_mode) && IsModelDirectory(path)) {
      nested = Collides(id, path.lexically_relative(layout.models()));
    }
    return nested.ok();
  });
  return nested;
}

Status Exchange(const fs::path& staged, const fs::path& target) {
  if (::renameat2(AT_FDCWD, staged.c_str(), AT_FDCWD, target.c_str(), RENAME_NOREPLACE) == 0) {
    return mlos::OkStatus();
  }
  if (errno == EEXIST || errno == ENOTEMPTY) {
    const unsigned flags = RENAME_EXCHANGE;
    if (::renameat2(AT_FDCWD, staged.c_str(), AT_FDCWD, target.c_str(), flags) == 0) {
      return mlos::OkStatus();
    }
  }
  return ErrnoStatus(errno, "cannot publish the model");
}

}  // namespace

Result<Staging> Staging::Create(const Layout& layout) {
  MLOS_TRY(CreateFolders(layout));
  // Under the store's lock, so that no other process removes the folder before it is locked.
  const FileLock store_lock = MLOS_TRY(FileLock::Acquire(layout.lock()));
  SweepStaging(layout);
  std::string name = (layout.staging() / "XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr)
    return ErrnoStatus(errno, "cannot create a staging folder");
  UniqueFd lock = LockFolder(name);
  if (!lock.valid()) return ErrnoStatus(errno, "cannot lock a staging folder");
  Staging staging(layout, name, std::move(lock));
  if (::mkdir(staging.model().c_str(), 0755) != 0) {
    return ErrnoStatus(errno, "cannot create a staging folder");
  }
  return staging;
}

Staging::~Staging() {
  if (folder_.empty()) return;
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

Status Staging::AddObject(const Digest& digest, std::string_view path,
                          const HashProgress& progress) {
  return objects_.LinkTo(digest, model() / path, progress);
}

Status Staging::AddFile(const fs::path& file, const Digest& digest, std::string_view path,
                        const HashProgress& progress) {
  return objects_.Adopt(file, digest, model() / path, progress);
}

Status Staging::Write(std::string_view path, std::string_view bytes) {
  const fs::path file = model() / path;
  MLOS_TRY(mlos::CreateDirectories(file.parent_path()));
  return mlos::WriteFileAtomic(file, bytes);
}

Status Staging::Intern(std::string_view path, const Digest& digest, const HashProgress& progress) {
  const fs::path inside = model() / path;
  const fs::path aside = folder_ / "interned";
  if (::rename(inside.c_str(), aside.c_str()) != 0) {
    return ErrnoStatus(errno, "cannot store " + std::string(path));
  }
  return objects_.Adopt(aside, digest, inside, progress);
}

Status Staging::Publish(const ModelId& id) {
  const fs::path target = layout_.Model(id);
  MLOS_TRY(SyncFolders(model()));
  const FileLock lock = MLOS_TRY(FileLock::Acquire(layout_.lock()));
  MLOS_TRY(CheckNesting(layout_, id, target));
  MLOS_TRY(mlos::CreateDirectories(target.parent_path()));
  Status published = Exchange(model(), target);
  if (!published.ok()) {
    PruneEmpty(target.parent_path(), layout_.models());
    return published;
  }
  return mlos::FsyncDirectory(target.parent_path());
}

Status Staging::TakeOut(const fs::path& directory) {
  const FileLock lock = MLOS_TRY(FileLock::Acquire(layout_.lock()));
  if (::rename(directory.c_str(), (folder_ / "removed").c_str()) != 0) {
    return ErrnoStatus(errno, "cannot remove the model");
  }
  MLOS_TRY(mlos::FsyncDirectory(directory.parent_path()));
  PruneEmpty(directory.parent_path(), layout_.models());
  return mlos::OkStatus();
}

void SweepStaging(const Layout& layout) {
  ForEachEntry(layout.staging(), [](const fs::path& path, const struct stat&) {
    if (!LockFolder(path).valid()) return;
    std::error_code ignored;
    fs::remove_all(path, ignored);
  });
}

void PruneEmpty(fs::path directory, const fs::path& stop) {
  while (directory != stop && ::rmdir(directory.c_str()) == 0) directory = directory.parent_path();
}

}  // namespace axon::store
