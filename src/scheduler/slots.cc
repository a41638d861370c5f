// SPDX-License-Identifier: MIT
#include "scheduler/slots.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace mlos::scheduler {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using TimePoint = SteadyClock::time_point;

// A run that has gone on for one of these gives its slot up to runs that are known to take less, so
// that they wait for about as long as they take; after the last one it does to all runs.
constexpr std::array<milliseconds, 8> kAges = {
    kShortRun,         milliseconds{20},  milliseconds{40},  milliseconds{80},
    milliseconds{160}, milliseconds{320}, milliseconds{640}, kLongRun};
constexpr microseconds kNoRoom{0};
constexpr microseconds kAnyRoom = microseconds::max();
// Runs that go on beside those in the slots.
constexpr std::uint32_t kMoreRuns = 16;

bool TakesLess(const ModelQueue& queue, const Job& job, microseconds than) {
  const std::int64_t expected_us = queue.run_times().Expected(job.input_bytes());
  return expected_us > 0 && microseconds(expected_us) < than;
}

RunQueue::MayRun FitsInto(microseconds room) {
  return [room](const ModelQueue& model, const Job& first) {
    return room == kAnyRoom || TakesLess(model, first, room);
  };
}

}  // namespace

bool Slots::Start(RunQueue& queue, TimePoint now) {
  const microseconds room = RoomAt(now);
  if (room == kNoRoom) return false;
  RunQueue::Taken taken = queue.Take(now, {count_, Free()}, FitsInto(room));
  if (taken.queue == nullptr) return false;
  Running& run = runs_.emplace_back();
  run.taken = std::move(taken);
  run.started = now;
  return true;
}

TimePoint Slots::NextStart(RunQueue& queue, TimePoint now) const {
  const microseconds room = RoomAt(now);
  if (room == kNoRoom) return NextRoom(now);
  if (queue.HasRun(now, {count_, Free()}, FitsInto(room))) return now;
  return room == kAnyRoom ? queue.not_before() : std::min(queue.not_before(), NextRoom(now));
}

std::list<Running> Slots::Remove(Run run) {
  std::list<Running> removed;
  removed.splice(removed.end(), runs_, run);
  return removed;
}

microseconds Slots::RoomAt(TimePoint now) const {
  std::uint32_t all = 0;
  std::array<std::uint32_t, kAges.size()> younger{};
  for (const Running& run : runs_) {
    if (run.overdue) continue;
    ++all;
    for (std::size_t i = 0; i < kAges.size(); ++i) younger[i] += now - run.started < kAges[i];
  }
  if (all >= count_ + kMoreRuns) return kNoRoom;
  if (younger.back() < count_) return kAnyRoom;
  // Fewer runs are younger than a lower age.
  const auto taken = std::ranges::find_if(younger, [&](auto runs) { return runs >= count_; });
  return taken == younger.begin() ? kNoRoom : kAges[taken - younger.begin() - 1];
}

std::uint32_t Slots::Free() const {
  const auto taken = static_cast<std::uint32_t>(
      std::ranges::count_if(runs_, [](const Running& run) { return !run.overdue; }));
  return taken < count_ ? count_ - taken : 1;
}

TimePoint Slots::NextRoom(TimePoint now) const {
  TimePoint next = TimePoint::max();
  for (const Running& run : runs_) {
    for (const milliseconds age : kAges) {
      if (run.started + age > now) next = std::min(next, run.started + age);
    }
  }
  return next;
}

}  // namespace mlos::scheduler
