// SPDX-License-Identifier: MIT
#include "scheduler/discipline.h"

namespace mlos::scheduler {

Choice OneByOne::Next(Waiting& waiting, std::uint32_t /*free_runs*/) { return {waiting.begin()}; }

Choice AllReady::Next(Waiting& waiting, std::uint32_t /*free_runs*/) {
  Choice choice;
  for (auto job = waiting.begin(); job != waiting.end() && choice.size() < kRunsMax; ++job) {
    choice.push_back(job);
  }
  return choice;
}

}  // namespace mlos::scheduler
