// SPDX-License-Identifier: MIT
#include "plugin/host_services.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <thread>

#include "base/log.h"
#include "plugin/call_error.h"

namespace mlos::plugin {
namespace {

TEST(HostServices, AllocatesAlignedMemoryWithinItsBudget) {
  HostServices services("p", 1'000);
  const smi_host_t* host = services.table();
  void* data = host->allocate(host, 600);
  ASSERT_NE(data, nullptr);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(data) % 64, 0u);
  EXPECT_EQ(services.allocated_bytes(), 600u);
  EXPECT_EQ(host->allocate(host, 401), nullptr);
  EXPECT_EQ(host->allocate(host, SIZE_MAX), nullptr);
  EXPECT_EQ(services.allocated_bytes(), 600u);
  void* rest = host->allocate(host, 400);
  EXPECT_NE(rest, nullptr);
  host->deallocate(host, data, 600);
  host->deallocate(host, rest, 400);
  host->deallocate(host, nullptr, 5);
  EXPECT_EQ(services.allocated_bytes(), 0u);
}

TEST(HostServices, KeepsErrorsOfThreadsApart) {
  HostServices services("p", 0);
  const smi_host_t* host = services.table();
  CallError::Clear();
  host->set_error(host, "mine");
  std::thread([host] { host->set_error(host, "another's"); }).join();
  EXPECT_EQ(CallError::Last(), "mine");
  host->set_error(host, nullptr);
  EXPECT_EQ(CallError::Last(), "");
  host->set_error(host, std::string(10'000, 'x').c_str());
  EXPECT_EQ(CallError::Last().size(), 4'096u);
}

TEST(HostServices, ForgetsWhatWasSaidBeforeAMoment) {
  HostServices services("p", 0);
  const smi_host_t* host = services.table();
  host->set_error(host, "before");
  const CallError::Moment moment = CallError::Now();
  CallError::ClearBefore(moment);
  EXPECT_EQ(CallError::Last(), "");
  host->set_error(host, "after");
  CallError::ClearBefore(moment);
  EXPECT_EQ(CallError::Last(), "after");
  CallError::Clear();
}

TEST(HostServices, KeepsWellNamedMetricsUpToALimit) {
  HostServices services("p", 0);
  const smi_host_t* host = services.table();
  for (const char* name : {"", "UPPER", "sp ace", "a-b"}) host->set_metric(host, name, 1);
  host->set_metric(host, std::string(65, 'x').c_str(), 1);
  EXPECT_TRUE(services.Gauges().empty());
  for (int i = 0; i < 100; ++i) host->set_metric(host, ("m" + std::to_string(i)).c_str(), i);
  EXPECT_EQ(services.Gauges().size(), 64u);
  host->set_metric(host, "m0", 4.5);
  EXPECT_EQ(services.Gauges()[0].name, "m0");
  EXPECT_EQ(services.Gauges()[0].value, 4.5);
}

TEST(HostServices, LogsOneLineUnderThePluginsId) {
  ::testing::internal::CaptureStderr();
  ASSERT_TRUE(InitLogging(LogFormat::kJson, "info").ok());
  HostServices services("my-plugin", 0);
  services.table()->log(services.table(), SMI_LOG_WARNING, "odd\nforged");
  const std::string line = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(line.find(R"("plugin":"my-plugin","message":"odd\nforged")"), std::string::npos)
      << line;
  EXPECT_NE(line.find(R"("level":"warning")"), std::string::npos) << line;
}

}  // namespace
}  // namespace mlos::plugin
