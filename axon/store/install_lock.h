// SPDX-License-Identifier: MIT
#pragma once

#include "axon/store/layout.h"
#include "base/model_id.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace axon::store {

/// Held while a model is installed, so that a second process need not fetch what the first is
/// fetching. Two models whose ids have one hash share a lock, and wait for each other in vain. The
/// kernel releases it when the process ends, however it ends. Thread-compatible.
class InstallLock {
 public:
  /// STATE_LOCKED if another process is installing the model.
  static mlos::Result<InstallLock> TryAcquire(const Layout& layout, const mlos::ModelId& id);

 private:
  explicit InstallLock(mlos::UniqueFd fd) : fd_(std::move(fd)) {}

  mlos::UniqueFd fd_;
};

}  // namespace axon::store
