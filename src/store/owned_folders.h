// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/mutex.h"
#include "base/result.h"

namespace mlos::store {

/// Folders below one folder that only Core writes to, each with a name of its own, such as the
/// digest of what is in it. A folder is complete or absent. Thread-safe.
class OwnedFolders {
 public:
  /// Keeps a folder from being removed while somebody uses it. The last one removes a folder that
  /// was found unused meanwhile.
  class Pin {
   public:
    Pin(OwnedFolders& folders, std::string name);
    Pin(const Pin&) = delete;
    Pin& operator=(const Pin&) = delete;
    ~Pin();

   private:
    OwnedFolders& folders_;
    const std::string name_;
  };

  /// Whether a folder of this name is still to be there.
  using IsUsed = std::function<bool(const std::string& name)>;

  /// Opens or creates `directory`, and sweeps it.
  static Result<std::unique_ptr<OwnedFolders>> Open(std::filesystem::path directory,
                                                    const IsUsed& is_used);
  OwnedFolders(const OwnedFolders&) = delete;
  OwnedFolders& operator=(const OwnedFolders&) = delete;

  std::filesystem::path PathOf(const std::string& name) const { return directory_ / name; }
  /// True for a folder that lies in this one.
  bool Owns(const std::filesystem::path& folder) const {
    return folder.parent_path() == directory_;
  }
  std::unique_ptr<Pin> Hold(const std::string& name) { return std::make_unique<Pin>(*this, name); }

  /// An empty folder to be filled, and then Published or Discarded.
  Result<std::filesystem::path> Stage();
  /// Gives a staged folder its name; see Sync. One that has the name already goes: that of another
  /// thread, or a broken one. After a failure nothing is left of the staged one.
  Status Publish(const std::filesystem::path& staged, const std::string& name);
  void Discard(const std::filesystem::path& staged);

  /// Makes names that were given survive a power cut.
  Status Sync() const;

  /// Removes a folder, unless it is pinned.
  void Remove(const std::string& name);
  /// Removes what was left half done, and what is not used: at once, or with its last pin. An
  /// IO_ERROR is logged.
  void Sweep(const IsUsed& is_used);
  /// A folder that is pinned is used from now on.
  void Keep(const std::string& name);
  /// Bytes of the files in all folders, as far as they can be listed.
  std::uint64_t TotalBytes() const;
  /// The same of one folder; nothing if it is not there.
  std::optional<std::uint64_t> BytesOf(const std::string& name) const;

 private:
  explicit OwnedFolders(std::filesystem::path directory) : directory_(std::move(directory)) {}
  struct Held {
    int pins = 0;
    bool unused = false;
  };

  void Release(const std::string& name);
  std::filesystem::path StagingName() REQUIRES(mutex_);
  /// Whether the folder is pinned; then it is removed with its last pin if it is `unused`.
  bool Mark(const std::string& name, bool unused);

  const std::filesystem::path directory_;
  Mutex mutex_;
  std::map<std::string, Held> held_ GUARDED_BY(mutex_);
  std::set<std::filesystem::path> staging_ GUARDED_BY(mutex_);
  int staged_ GUARDED_BY(mutex_) = 0;
};

}  // namespace mlos::store
