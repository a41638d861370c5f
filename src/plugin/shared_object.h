// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace mlos::plugin {

/// A shared object mapped into this process, once: its static data has one owner. Unmapped on
/// destruction. Thread-compatible.
class SharedObject {
 public:
  /// Refuses a file that others than its owner may change or replace, as LoadPlugin says: the file
  /// of a plugin, and what is believed of it. Messages call it `what`.
  static Status CheckFile(const std::filesystem::path& path, std::string_view what);

  /// Maps the file at `path`. See LoadPlugin for what is refused.
  static Result<std::unique_ptr<SharedObject>> Open(const std::filesystem::path& path);
  SharedObject(const SharedObject&) = delete;
  SharedObject& operator=(const SharedObject&) = delete;
  ~SharedObject();

  /// The address of an exported symbol; null where there is none.
  void* Find(const char* symbol) const;

 private:
  using FileId = std::pair<dev_t, ino_t>;
  SharedObject(FileId id, void* handle) : id_(id), handle_(handle) {}

  const FileId id_;
  void* const handle_;
};

}  // namespace mlos::plugin
