// SPDX-License-Identifier: MIT
#include "axon/install/wait.h"

#include <chrono>
#include <thread>

namespace axon::install {

mlos::Status Patience::Pause(const mlos::Status& locked, bool told) const {
  if (!told) {
    console.Note(std::string(locked.message()) + "; waiting for it (--no-wait does not)");
  }
  if (cancel.IsSet()) return {mlos::Reason::kCancelled, "interrupted"};
  // Locks tell nobody that they are free but those who sleep in the kernel, where Ctrl-C is lost.
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  return mlos::OkStatus();
}

}  // namespace axon::install
