// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "registry/entries.h"
#include "registry/findings.h"
#include "registry/records.h"

namespace mlos::registry {

/// All models and plugins, after `generation` changes.
struct Content {
  std::int64_t generation = 0;
  std::vector<ModelRecord> models;
  /// In the order in which they were first registered.
  std::vector<PluginRecord> plugins;

  void Apply(const Entry& entry);
};

/// The registry's second copy: a text file to which each change is appended as a line that has its
/// own seal (see LineOf). It shares nothing with the first but what it says, so what damages one,
/// be it a disk or a fault of the database, does not damage the other. What is appended outlives
/// the process, and the machine once the kernel has written it. Thread-compatible.
class Copy {
 public:
  /// Where the copy of a registry lies: registry.copy beside registry.db.
  static std::filesystem::path PathOf(const std::filesystem::path& registry);

  struct Found {
    Content content;
    Findings findings;
  };
  /// Reads the whole file. Damaged lines are findings; what they say that is not said again is not
  /// in the content.
  static Found Read(const std::filesystem::path& path);

  /// Replaces the file at once, or not at all, and goes on with it.
  static Result<std::unique_ptr<Copy>> Write(const std::filesystem::path& path,
                                             const Content& content);
  /// Goes on with a file that was found sound.
  static Result<std::unique_ptr<Copy>> Continue(const std::filesystem::path& path);

  /// DISK_FULL, IO_ERROR; the file is then as it was if the disk lets that be.
  Status Append(std::int64_t generation, const Entry& entry);
  /// Whether so much was appended that it should be written anew.
  bool long_enough() const;

 private:
  Copy(UniqueFd fd, std::uint64_t size_bytes) : fd_(std::move(fd)), size_bytes_(size_bytes) {}

  void AllocateAhead(std::uint64_t line_bytes);

  UniqueFd fd_;
  std::uint64_t size_bytes_;           ///< whole lines
  std::uint64_t allocated_bytes_ = 0;  ///< on the disk, as far as that was asked for
};

}  // namespace mlos::registry
