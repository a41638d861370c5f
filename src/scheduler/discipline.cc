// SPDX-License-Identifier: MIT
#include "scheduler/discipline.h"

namespace mlos::scheduler {

Choice OneByOne::Next(Waiting& waiting, SteadyClock::time_point /*now*/) {
  Choice choice;
  choice.jobs.push_back(waiting.begin());
  return choice;
}

Choice AllReady::Next(Waiting& waiting, SteadyClock::time_point /*now*/) {
  Choice choice;
  for (auto job = waiting.begin(); job != waiting.end() && choice.jobs.size() < kRunsMax; ++job) {
    choice.jobs.push_back(job);
  }
  return choice;
}

}  // namespace mlos::scheduler
