// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "axon/ui/exit_code.h"
#include "axon/ui/format.h"
#include "axon/ui/hint.h"
#include "axon/ui/json_writer.h"
#include "axon/ui/progress.h"

namespace axon::ui {
namespace {

using mlos::Reason;
using mlos::Status;
using testing::ElementsAre;

TEST(HintTest, HintsSurviveContextAndComeBackInOrder) {
  Status status =
      WithHint(WithHint(Status(Reason::kNetwork, "no answer"), "look here"), "or there");
  const Explanation explanation = Explain(std::move(status).WithContext("hf/a/b"));
  EXPECT_EQ(explanation.message, "hf/a/b: no answer");
  EXPECT_THAT(explanation.hints, ElementsAre("look here", "or there"));
}

TEST(HintTest, SuccessStaysSuccess) { EXPECT_TRUE(WithHint(mlos::OkStatus(), "never seen").ok()); }

TEST(FormatTest, BytesHaveFourDigitsAndABinaryUnit) {
  EXPECT_EQ(FormatBytes(0), "0 B");
  EXPECT_EQ(FormatBytes(999), "999 B");
  EXPECT_EQ(FormatBytes(1000), "1.0 KiB");
  EXPECT_EQ(FormatBytes(1536), "1.5 KiB");
  EXPECT_EQ(FormatBytes(1024 * 1024 - 1), "1.0 MiB");
  EXPECT_EQ(FormatBytes(~0ull), "16.0 EiB");
}

TEST(FormatTest, SecondsGrowIntoMinutesAndHours) {
  EXPECT_EQ(FormatSeconds(8), "8s");
  EXPECT_EQ(FormatSeconds(187), "3m07s");
  EXPECT_EQ(FormatSeconds(7500), "2h05m");
}

TEST(FormatTest, WhatATerminalWouldObeyIsNotShown) {
  EXPECT_EQ(Printable("plain ü 模型 🙂\n\tx"), "plain ü 模型 🙂\n\tx");
  EXPECT_EQ(Printable("\033[2J\a\x7f"), "?[2J??");
  EXPECT_EQ(Printable("\xc2\x9b"
                      "31m"),
            "?31m");                                           // C1 "CSI"
  EXPECT_EQ(Printable("\xff\xc0\xaf\xed\xa0\x80"), "??????");  // no UTF-8 at all
  EXPECT_EQ(Printable("\xe6\xa8"), "??");                      // cut in the middle
}

TEST(FormatTest, TablesAlignByCharactersNotBytes) {
  EXPECT_EQ(FormatTable({{"ü", "1"}, {"long", "2"}}), "ü     1\nlong  2\n");
}

TEST(JsonWriterTest, EncodesWhatTextMayHold) {
  JsonWriter json(JsonWriter::Style::kLine);
  json.BeginObject().Field("a\"b", "quote \" slash \\ \n\xff").Field("n", 18446744073709551615ull);
  json.Field("i", -1).Field("b", true).Key("z").Null().EndObject();
  EXPECT_EQ(
      json.text(),
      R"({"a\"b":"quote \" slash \\ \n?","n":18446744073709551615,"i":-1,"b":true,"z":null})");
}

TEST(JsonWriterTest, IndentsForPeople) {
  JsonWriter json;
  json.BeginObject().Key("a").BeginArray().Value(1).EndArray().EndObject();
  EXPECT_EQ(json.text(), "{\n  \"a\": [\n    1\n  ]\n}");
}

TEST(ProgressTest, SpeedAndTimeLeftComeFromTheRecentPast) {
  const mlos::SteadyClock::time_point start{};
  ProgressMeter meter(100 << 20);
  meter.Update(0, start);
  EXPECT_EQ(meter.bytes_per_second(), 0);
  meter.Update(10 << 20, start + std::chrono::seconds(2));
  EXPECT_DOUBLE_EQ(meter.bytes_per_second(), 5 << 20);
  EXPECT_EQ(meter.Line(), "10.0 MiB of 100.0 MiB (10%), 5.0 MiB/s, 19s left");
  EXPECT_EQ(meter.Bar(70), "[#------------------] " + meter.Line());
  EXPECT_EQ(meter.Bar(20).size(), 20u);
}

TEST(ProgressTest, ARestartedDownloadHasNoNegativeSpeed) {
  const mlos::SteadyClock::time_point start{};
  ProgressMeter meter(1000);
  meter.Update(900, start);
  meter.Update(10, start + std::chrono::seconds(1));
  EXPECT_EQ(meter.bytes_per_second(), 0);
  EXPECT_EQ(meter.Line(), "10 B of 1.0 KiB (1%)");
}

TEST(ExitCodeTest, ReasonsHaveTheirDocumentedCodes) {
  EXPECT_EQ(ExitCodeOf(Reason::kUsage), ExitCode::kUsage);
  EXPECT_EQ(ExitCodeOf(Reason::kRemoteNotFound), ExitCode::kNotFound);
  EXPECT_EQ(ExitCodeOf(Reason::kUnauthenticated), ExitCode::kAccess);
  EXPECT_EQ(ExitCodeOf(Reason::kHostNotAllowed), ExitCode::kNetwork);
  EXPECT_EQ(ExitCodeOf(Reason::kChecksumMismatch), ExitCode::kIntegrity);
  EXPECT_EQ(ExitCodeOf(Reason::kDiskFull), ExitCode::kDiskFull);
  EXPECT_EQ(ExitCodeOf(Reason::kInternal), ExitCode::kFailure);
}

TEST(ExitCodeTest, EveryCodeIsExplainedOnce) {
  std::set<ExitCode> seen;
  for (const ExitCodeEntry& entry : ExitCodes()) {
    EXPECT_TRUE(seen.insert(entry.code).second);
    EXPECT_FALSE(entry.meaning.empty());
  }
  EXPECT_EQ(seen.size(), 12u);
}

}  // namespace
}  // namespace axon::ui
