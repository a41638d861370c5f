// SPDX-License-Identifier: MIT
#include "metrics/process.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>

namespace mlos::metrics {
namespace {

namespace fs = std::filesystem;

/// What /proc/self/stat says (proc(5)), times in ticks of the clock.
struct ProcessStat {
  std::uint64_t user_ticks = 0;
  std::uint64_t system_ticks = 0;
  std::uint64_t start_ticks = 0;  ///< since the machine's start
  std::uint64_t virtual_bytes = 0;
  std::uint64_t resident_pages = 0;
};

std::optional<ProcessStat> ReadStat() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  // The name of the program, the second field, may hold anything; the numbers follow its ')'.
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(line.substr(name_end + 1));
  const auto skip = [&fields](int count) {
    for (std::string ignored; count > 0; --count) fields >> ignored;
  };
  ProcessStat stat;
  skip(11);  // fields 3 to 13
  fields >> stat.user_ticks >> stat.system_ticks;
  skip(6);  // 16 to 21
  fields >> stat.start_ticks >> stat.virtual_bytes >> stat.resident_pages;
  return fields ? std::optional(stat) : std::nullopt;
}

/// When the machine started, in seconds since the Unix epoch.
std::optional<std::uint64_t> ReadBootTime() {
  std::ifstream file("/proc/stat");
  for (std::string word; file >> word;) {
    std::uint64_t seconds = 0;
    if (word == "btime" && file >> seconds) return seconds;
  }
  return std::nullopt;
}

void AddStat(Exposition& page, const ProcessStat& stat) {
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  const auto page_bytes = static_cast<double>(::sysconf(_SC_PAGESIZE));
  page.AddCounter("process_cpu_seconds_total", "Total user and system CPU time spent in seconds.",
                  {}, static_cast<double>(stat.user_ticks + stat.system_ticks) / ticks);
  page.AddGauge("process_resident_memory_bytes", "Resident memory size in bytes.", {},
                static_cast<double>(stat.resident_pages) * page_bytes);
  page.AddGauge("process_virtual_memory_bytes", "Virtual memory size in bytes.", {},
                static_cast<double>(stat.virtual_bytes));
  // It does not change while the process lives, but for the clock's own corrections.
  static const std::optional<std::uint64_t> kBootTime = ReadBootTime();
  if (!kBootTime) return;
  page.AddGauge("process_start_time_seconds",
                "Start time of the process since unix epoch in seconds.", {},
                static_cast<double>(*kBootTime) + static_cast<double>(stat.start_ticks) / ticks);
}

void AddDescriptors(Exposition& page) {
  std::error_code error;
  fs::directory_iterator open("/proc/self/fd", error);
  std::int64_t count = -1;  // one of them is this look at them
  for (; !error && open != fs::directory_iterator(); open.increment(error)) ++count;
  if (!error) {
    page.AddGauge("process_open_fds", "Number of open file descriptors.", {},
                  static_cast<double>(count));
  }
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const double max = limit.rlim_cur == RLIM_INFINITY ? std::numeric_limits<double>::infinity()
                                                     : static_cast<double>(limit.rlim_cur);
  page.AddGauge("process_max_fds", "Maximum number of open file descriptors.", {}, max);
}

}  // namespace

void AddProcess(Exposition& page) {
  if (const auto stat = ReadStat()) AddStat(page, *stat);
  AddDescriptors(page);
}

}  // namespace mlos::metrics
