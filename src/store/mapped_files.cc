// SPDX-License-Identifier: MIT
#include "store/mapped_files.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <utility>

#include "base/mutex.h"

namespace mlos::store {
namespace {

using Range = std::pair<std::uintptr_t, std::uintptr_t>;

/// A range that is guarded. The handler reads it while others are written: `end` is set last and
/// taken away first.
struct Guarded {
  std::atomic<std::uintptr_t> begin{0};
  std::atomic<std::uintptr_t> end{0};  ///< 0: the place is free
  std::atomic<std::atomic<bool>*> damaged{nullptr};
};

// What does not fit in is mapped without a guard.
constexpr std::size_t kRangesMax = 4096;
std::array<Guarded, kRangesMax> table;
Mutex table_mutex;
struct sigaction handler_before;
std::uintptr_t page_bytes = 4096;

/// Tells everybody who guards the address; false if nobody does.
bool Tell(std::uintptr_t address) {
  bool guarded = false;
  for (Guarded& range : table) {
    if (address >= range.end.load() || address < range.begin.load()) continue;
    if (std::atomic<bool>* damaged = range.damaged.load()) damaged->store(true);
    guarded = true;
  }
  return guarded;
}

void HandOn(int signal, siginfo_t* info, void* context) {
  if ((handler_before.sa_flags & SA_SIGINFO) != 0) {
    return handler_before.sa_sigaction(signal, info, context);
  }
  // Back at the instruction, the fault comes again and ends the process.
  ::signal(SIGBUS, SIG_DFL);
}

void OnFault(int signal, siginfo_t* info, void* context) {
  const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
  if (!Tell(address)) return HandOn(signal, info, context);
  void* const page = reinterpret_cast<void*>(address & ~(page_bytes - 1));
  constexpr int kZeros = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
  if (::mmap(page, page_bytes, PROT_READ | PROT_WRITE, kZeros, -1, 0) == MAP_FAILED) {
    HandOn(signal, info, context);
  }
}

/// Where files below `folder` are mapped.
std::vector<Range> RangesOf(const std::filesystem::path& folder) {
  const std::string prefix = folder.native() + "/";
  std::vector<Range> ranges;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    const std::size_t path = line.find('/');
    if (path == std::string::npos || line.compare(path, prefix.size(), prefix) != 0) continue;
    Range range;
    if (std::sscanf(line.c_str(), "%lx-%lx", &range.first, &range.second) == 2) {
      ranges.push_back(range);
    }
  }
  return ranges;
}

}  // namespace

MappedFiles::MappedFiles(const std::filesystem::path& folder) {
  const MutexLock lock(table_mutex);
  std::size_t place = 0;
  for (const auto& [begin, end] : RangesOf(folder)) {
    while (place < table.size() && table[place].end.load() != 0) ++place;
    if (place == table.size()) return;
    table[place].begin.store(begin);
    table[place].damaged.store(&damaged_);
    table[place].end.store(end);
    places_.push_back(place);
  }
}

MappedFiles::~MappedFiles() {
  const MutexLock lock(table_mutex);
  for (const std::size_t place : places_) {
    table[place].end.store(0);
    table[place].damaged.store(nullptr);
  }
}

void MappedFiles::HandleFaults() {
  page_bytes = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  struct sigaction action{};
  action.sa_sigaction = &OnFault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGBUS, &action, &handler_before);
}

}  // namespace mlos::store
