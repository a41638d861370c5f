// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <filesystem>
#include <vector>

namespace mlos::store {

/// Files of one folder that this process has mapped, guarded for as long as this lives: a page that
/// cannot be read, since the file was truncated or its disk failed, reads as zeros instead of
/// ending the process by SIGBUS, and is told here. Whatever was computed meanwhile is worthless.
/// Thread-safe.
class MappedFiles {
 public:
  /// Guards what is mapped now from files below `folder`.
  explicit MappedFiles(const std::filesystem::path& folder);
  MappedFiles(const MappedFiles&) = delete;
  MappedFiles& operator=(const MappedFiles&) = delete;
  ~MappedFiles();

  /// Whether a page could not be read.
  bool damaged() const { return damaged_.load(std::memory_order_relaxed); }

  /// Handles SIGBUS in the whole process. A fault elsewhere goes on to whoever handled it before,
  /// or ends the process as ever. Once, before other threads.
  static void HandleFaults();

 private:
  std::atomic<bool> damaged_{false};
  /// Places in the table that the handler looks at.
  std::vector<std::size_t> places_;
};

}  // namespace mlos::store
