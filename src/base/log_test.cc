// SPDX-License-Identifier: MIT
#include "base/log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>

namespace mlos {
namespace {

std::string Logged(LogFormat format, std::string_view level, const auto& write) {
  ::testing::internal::CaptureStderr();
  EXPECT_TRUE(InitLogging(format, level).ok());
  write();
  return ::testing::internal::GetCapturedStderr();
}

TEST(Log, JsonLineCarriesFieldsEscaped) {
  const std::string line = Logged(LogFormat::kJson, "info", [] {
    Log(LogLevel::kInfo, "model loaded",
        {{"model", "a\"b\n{\"forged\":1}"},
         {"load_us", 12},
         {"share", std::numeric_limits<double>::quiet_NaN()}});
  });
  EXPECT_NE(line.find(R"("level":"info","event":"model loaded","model":"a\"b\n)"),
            std::string::npos)
      << line;
  EXPECT_NE(line.find(R"("load_us":12,"share":null})"), std::string::npos) << line;
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
}

TEST(Log, TextLineCannotBeForgedByAValue) {
  const std::string line = Logged(LogFormat::kText, "info", [] {
    Log(LogLevel::kWarning, "odd", {{"id", "x\n2026 error forged"}});
  });
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
}

TEST(Log, LevelsBelowTheChosenOneAreSilent) {
  EXPECT_EQ(Logged(LogFormat::kText, "error", [] { Log(LogLevel::kInfo, "quiet"); }), "");
  EXPECT_EQ(Logged(LogFormat::kText, "off", [] { Log(LogLevel::kError, "quiet"); }), "");
}

TEST(Log, RefusesAnUnknownLevel) {
  EXPECT_EQ(InitLogging(LogFormat::kText, "loud").field(), "log_level");
}

}  // namespace
}  // namespace mlos
