// SPDX-License-Identifier: MIT
#include "base/log.h"

#include <gtest/gtest.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <cctype>
#include <limits>
#include <regex>
#include <sstream>
#include <string>
#include <thread>

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

// Escape sequences, a CSI of C1, an override of direction, bytes that are no text.
constexpr char kForeign[] =
    "a\x1b[2Jb\xc2\x9b"
    "1mc\xe2\x80\xae"
    "d\x7f\xff\ne";
constexpr char kForeignEscaped[] = R"(a\u001b[2Jb\u009b1mc\u202ed\u007f\ufffd\ne)";

TEST(Log, ForeignTextIsEscapedInBothFormats) {
  for (const LogFormat format : {LogFormat::kText, LogFormat::kJson}) {
    const std::string line = Logged(format, "info", [] {
      Log(LogLevel::kInfo, "plugin says",
          {{"message", kForeign}, LogField(Status(Reason::kInternal, kForeign))});
    });
    std::string lower = line;
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return static_cast<char>(std::tolower(c)); });
    std::string wanted = kForeignEscaped;
    std::transform(wanted.begin(), wanted.end(), wanted.begin(),
                   [](char c) { return static_cast<char>(std::tolower(c)); });
    EXPECT_NE(lower.find(wanted), std::string::npos) << line;
    EXPECT_EQ(std::count_if(line.begin(), line.end(),
                            [](char c) { return static_cast<unsigned char>(c - 0x20) >= 0x5f; }),
              1)
        << "the line's own end is the only byte that is not printable ASCII: " << line;
  }
}

/// Keeps the member "text".
struct TextOf : rapidjson::BaseReaderHandler<rapidjson::UTF8<>, TextOf> {
  bool Key(const char* name, rapidjson::SizeType size, bool /*copy*/) {
    key.assign(name, size);
    return true;
  }
  bool String(const char* value, rapidjson::SizeType size, bool /*copy*/) {
    if (key == "text") text.assign(value, size);
    return true;
  }
  std::string key;
  std::string text;
};

TEST(Log, JsonLinesAreJsonWhateverTheTextIs) {
  for (int byte = 1; byte < 256; ++byte) {
    const std::string text = {'a', static_cast<char>(byte), '"', static_cast<char>(byte)};
    const std::string line =
        Logged(LogFormat::kJson, "info", [&] { Log(LogLevel::kInfo, "e", {{"text", text}}); });
    TextOf read;
    rapidjson::Reader reader;
    rapidjson::StringStream stream(line.c_str());
    ASSERT_TRUE(reader.Parse<rapidjson::kParseValidateEncodingFlag>(stream, read))
        << byte << ": " << line;
    if (byte < 0x80) {
      EXPECT_EQ(read.text, text);
    }
  }
}

TEST(Log, LevelsBelowTheChosenOneAreSilent) {
  EXPECT_EQ(Logged(LogFormat::kText, "error", [] { Log(LogLevel::kInfo, "quiet"); }), "");
  EXPECT_EQ(Logged(LogFormat::kText, "off", [] { Log(LogLevel::kError, "quiet"); }), "");
}

TEST(Log, RefusesAnUnknownLevel) {
  EXPECT_EQ(InitLogging(LogFormat::kText, "loud").field(), "log_level");
}

TEST(Log, IsSetUpAnewWhileOthersLog) {
  constexpr int kLines = 2000;
  const std::string lines = Logged(LogFormat::kText, "info", [] {
    std::thread other([] {
      for (int i = 0; i < kLines; ++i) Log(LogLevel::kInfo, "said", {{"i", i}});
    });
    for (int i = 0; i < kLines; ++i) {
      EXPECT_TRUE(InitLogging(i % 2 == 0 ? LogFormat::kJson : LogFormat::kText, "info").ok());
    }
    other.join();
  });
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), kLines);
  const std::regex json(R"re(\{"time":"[^"]+","level":"info","event":"said","i":[0-9]+\})re");
  const std::regex text(R"re([0-9-]+T[0-9:.]+\+00:00 info said i=[0-9]+)re");
  std::istringstream each(lines);
  for (std::string line; std::getline(each, line);) {
    EXPECT_TRUE(std::regex_match(line, json) || std::regex_match(line, text)) << line;
  }
}

}  // namespace
}  // namespace mlos
