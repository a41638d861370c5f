// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "base/mutex.h"
#include "base/result.h"

namespace mlos::registry {

/// The archives that were registered, unpacked: one folder each, named by the digest of the
/// archive. A folder is complete or absent, also after a power cut. Thread-safe.
class Packages {
 public:
  /// Keeps a folder from being removed while it is not yet, or no longer, that of a model.
  class Pin {
   public:
    Pin(Packages& packages, std::string name);
    Pin(const Pin&) = delete;
    Pin& operator=(const Pin&) = delete;
    ~Pin();

   private:
    Packages& packages_;
    const std::string name_;
  };

  struct Package {
    std::filesystem::path folder;
    /// True where the folder was there already.
    bool reused = false;
    std::unique_ptr<Pin> pin;
  };

  /// Opens or creates `directory` and sweeps out of it what was left half done, and what is not in
  /// `used`. An IO_ERROR of the sweep is logged, not returned.
  static Result<std::unique_ptr<Packages>> Open(std::filesystem::path directory,
                                                const std::set<std::filesystem::path>& used);
  Packages(const Packages&) = delete;
  Packages& operator=(const Packages&) = delete;

  /// The folder with the contents of `archive`, unpacked where it is not there already, or `anew`.
  /// INVALID_PACKAGE, DISK_FULL, IO_ERROR leave nothing behind. See package::ExtractArchive.
  Result<Package> Unpack(const std::filesystem::path& archive, bool anew = false);

  /// True for a folder that Unpack made.
  bool Owns(const std::filesystem::path& folder) const;
  /// Removes a folder of Unpack unless it is pinned.
  void Remove(const std::filesystem::path& folder);

 private:
  explicit Packages(std::filesystem::path directory) : directory_(std::move(directory)) {}

  std::filesystem::path StagingName();
  Status Publish(const std::filesystem::path& staging, const std::filesystem::path& folder);
  void Sweep(const std::set<std::filesystem::path>& used) const;

  const std::filesystem::path directory_;
  Mutex mutex_;
  std::map<std::string, int> pins_ GUARDED_BY(mutex_);
  int staged_ GUARDED_BY(mutex_) = 0;
};

}  // namespace mlos::registry
