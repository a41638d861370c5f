// SPDX-License-Identifier: MIT
#include "metrics/process.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <sstream>
#include <string>

namespace mlos::metrics {
namespace {

/// The value of a metric without labels; -1 where it is missing.
double ValueOf(const std::string& name) {
  Exposition page;
  AddProcess(page);
  std::istringstream text(page.Text());
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with(name + " ")) return std::stod(line.substr(name.size() + 1));
  }
  return -1;
}

TEST(Process, CountsItsDescriptors) {
  const double before = ValueOf("process_open_fds");
  const int opened = ::dup(0);
  ASSERT_GE(opened, 0);
  EXPECT_EQ(ValueOf("process_open_fds"), before + 1);
  ::close(opened);
  EXPECT_EQ(ValueOf("process_open_fds"), before);
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_NEAR(ValueOf("process_max_fds"), static_cast<double>(limit.rlim_cur), 1);
}

TEST(Process, TellsItsMemory) {
  constexpr std::size_t kBytes = 64 << 20;
  const double virtual_before = ValueOf("process_virtual_memory_bytes");
  const double resident_before = ValueOf("process_resident_memory_bytes");
  void* const memory = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  EXPECT_GE(ValueOf("process_virtual_memory_bytes"), virtual_before + kBytes / 2);
  EXPECT_GE(ValueOf("process_resident_memory_bytes"), resident_before + kBytes / 2);
  ::munmap(memory, kBytes);
}

TEST(Process, TellsItsTimes) {
  const double before = ValueOf("process_cpu_seconds_total");
  ASSERT_GE(before, 0);
  volatile double sum = 0;
  while (ValueOf("process_cpu_seconds_total") <= before) sum = sum + 1;
  const double now =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  const double start = ValueOf("process_start_time_seconds");
  constexpr double kDay = 24 * 3600;
  EXPECT_GT(start, now - kDay);
  EXPECT_LT(start, now + 60) << "the boot time is whole seconds";
}

}  // namespace
}  // namespace mlos::metrics
