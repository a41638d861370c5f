// SPDX-License-Identifier: MIT
#include "plugin/shared_object.h"

#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <set>
#include <string>

#include "base/files.h"
#include "base/mutex.h"
#include "plugin/message.h"

namespace mlos::plugin {
namespace {

// dlopen maps a file once however often it is asked to: two plugins of one file would share their
// static data without knowing.
struct OpenFiles {
  Mutex mutex;
  std::set<std::pair<dev_t, ino_t>> ids GUARDED_BY(mutex);
};

OpenFiles& TheOpenFiles() {
  static auto* files = new OpenFiles;  // used by destructors of any age
  return *files;
}

Status NotAllowed(std::string why) { return {Reason::kPathNotAllowed, std::move(why)}; }

// Only the owner decides what the file holds.
Status CheckOwner(const struct stat& file, const std::string& what) {
  if (!S_ISREG(file.st_mode)) return NotAllowed(what + " is not a regular file");
  if (file.st_uid != 0 && file.st_uid != ::geteuid()) {
    return NotAllowed(what + " belongs to another user; it must be root's or Core's own");
  }
  if ((file.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return NotAllowed(what + " may be changed by others than its owner (chmod go-w)");
  }
  return OkStatus();
}

// Nor may everyone put another file in its place. A sticky folder (/tmp) keeps what others own.
Status CheckFolders(const std::filesystem::path& file, const std::string& what) {
  for (auto folder = file.parent_path();; folder = folder.parent_path()) {
    struct stat entry{};
    if (::stat(folder.c_str(), &entry) != 0) return ErrnoStatus(errno, "cannot read a folder");
    if ((entry.st_mode & S_IWOTH) != 0 && (entry.st_mode & S_ISVTX) == 0) {
      return NotAllowed(what + " lies in a folder that everyone may change (chmod o-w)");
    }
    if (folder == folder.root_path()) return OkStatus();
  }
}

struct CheckedFile {
  std::filesystem::path path;  // free of symbolic links
  struct stat entry{};
};

Result<CheckedFile> Check(const std::filesystem::path& path, const std::string& what) {
  std::error_code error;
  CheckedFile file{.path = std::filesystem::canonical(path, error)};
  if (error) return ErrnoStatus(error.value(), "cannot open " + what);
  if (::stat(file.path.c_str(), &file.entry) != 0) return ErrnoStatus(errno, "cannot open " + what);
  MLOS_TRY(CheckOwner(file.entry, what));
  MLOS_TRY(CheckFolders(file.path, what));
  return file;
}

}  // namespace

Status SharedObject::CheckFile(const std::filesystem::path& path, std::string_view what) {
  return Check(path, std::string(what)).status();
}

Result<std::unique_ptr<SharedObject>> SharedObject::Open(const std::filesystem::path& path) {
  const CheckedFile file = MLOS_TRY(Check(path, "the plugin's file"));
  const FileId id{file.entry.st_dev, file.entry.st_ino};
  OpenFiles& open = TheOpenFiles();
  MutexLock lock(open.mutex);
  if (open.ids.contains(id)) {
    return Status(Reason::kAlreadyExists, "the plugin's file is loaded already");
  }
  void* handle = ::dlopen(file.path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* why = ::dlerror();
    return Status(Reason::kPluginFailed,
                  "the plugin cannot be mapped: " + CleanMessage(why == nullptr ? "" : why));
  }
  open.ids.insert(id);
  return std::unique_ptr<SharedObject>(new SharedObject(id, handle));
}

SharedObject::~SharedObject() {
  OpenFiles& open = TheOpenFiles();
  MutexLock lock(open.mutex);
  ::dlclose(handle_);
  open.ids.erase(id_);
}

void* SharedObject::Find(const char* symbol) const { return ::dlsym(handle_, symbol); }

}  // namespace mlos::plugin
