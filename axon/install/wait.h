// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "axon/fetch/cancel.h"
#include "axon/ui/console.h"
#include "base/result.h"

namespace axon::install {

/// What an installation does while another process has what it needs. Borrowed; outlives the work.
struct Patience {
  ui::Console& console;
  const fetch::CancelFlag& cancel;
  /// Otherwise STATE_LOCKED ends it.
  bool waits = true;

  /// Calls `attempt`, which gives a Result, until it gives something else than STATE_LOCKED. Says
  /// once that it waits. CANCELLED after Ctrl-C.
  template <typename Attempt>
  auto Until(Attempt attempt) const -> decltype(attempt()) {
    bool told = false;
    while (true) {
      auto outcome = attempt();
      if (outcome.ok() || !waits || StatusOf(outcome).reason() != mlos::Reason::kStateLocked) {
        return outcome;
      }
      MLOS_TRY(Pause(StatusOf(outcome), told));
      told = true;
    }
  }

 private:
  static mlos::Status StatusOf(mlos::Status status) { return status; }
  template <typename T>
  static mlos::Status StatusOf(const mlos::Result<T>& result) {
    return result.status();
  }
  mlos::Status Pause(const mlos::Status& locked, bool told) const;
};

}  // namespace axon::install
