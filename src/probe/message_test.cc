// SPDX-License-Identifier: MIT
#include "probe/message.h"

#include <gtest/gtest.h>

namespace mlos::probe {
namespace {

TEST(Message, ARequestComesBackAsItWas) {
  Request request;
  request.plugin_path = "/plugins/\"a\\ü.so";
  request.plugin_id = "acting";
  request.plugin_config = R"({"threads":2})";
  request.source = {"hf/m@1", "/models/m\n.onnx", "onnx", "sha256:00", R"({"a":"\u00fc"})"};
  request.arena_bytes_max = std::uint64_t{1} << 63;
  request.memory_bytes_max = 7;
  request.cpu_seconds_max = 241;
  const Request back = ReadRequest(WriteRequest(request)).value();
  EXPECT_EQ(back.plugin_path, request.plugin_path);
  EXPECT_EQ(back.plugin_id, request.plugin_id);
  EXPECT_EQ(back.plugin_config, request.plugin_config);
  EXPECT_EQ(back.source.model_id, request.source.model_id);
  EXPECT_EQ(back.source.path, request.source.path);
  EXPECT_EQ(back.source.format, request.source.format);
  EXPECT_EQ(back.source.digest, request.source.digest);
  EXPECT_EQ(back.source.options, request.source.options);
  EXPECT_EQ(back.arena_bytes_max, request.arena_bytes_max);
  EXPECT_EQ(back.memory_bytes_max, request.memory_bytes_max);
  EXPECT_EQ(back.cpu_seconds_max, request.cpu_seconds_max);
}

TEST(Message, AReportComesBackAsItWas) {
  EXPECT_TRUE(ReadReport(WriteReport(OkStatus())).value().status.ok());
  const Status failure = Status(Reason::kInvalidModel, "say \"no\"").WithField("path");
  const Status back = ReadReport(WriteReport(failure)).value().status;
  EXPECT_EQ(back.reason(), failure.reason());
  EXPECT_EQ(back.message(), failure.message());
  EXPECT_EQ(back.field(), failure.field());
}

TEST(Message, WhatNeitherWroteIsAnError) {
  for (const char* text : {"", "[]", "{", "{}", R"({"reason":7})", R"({"reason":"NEW"})"}) {
    EXPECT_FALSE(ReadReport(text).ok()) << text;
  }
}

}  // namespace
}  // namespace mlos::probe
