// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <utility>

#include "base/result.h"

namespace mlos::registry::disk {

/// Space on the registry's disk that only removing may use: a file that is given up for it. On a
/// full disk a model can so be removed although its removal, too, has to be written.
/// Thread-compatible.
class Reserve {
 public:
  explicit Reserve(std::filesystem::path path) : path_(std::move(path)) {}

  /// Takes the space unless it is held. DISK_FULL if there is none; another failure is logged and
  /// no reason to refuse a change.
  Status Take();
  /// Gives it up.
  void Release();

 private:
  const std::filesystem::path path_;
  bool held_ = false;
};

}  // namespace mlos::registry::disk
