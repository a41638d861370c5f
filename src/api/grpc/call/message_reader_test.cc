// SPDX-License-Identifier: MIT
#include "api/grpc/call/message_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mlos::api::grpc::call {
namespace {

using namespace std::string_literals;

std::string Framed(std::string_view content, bool compressed = false) {
  std::string framed(kPrefixBytes, '\0');
  WritePrefix(framed.data(), compressed, static_cast<std::uint32_t>(content.size()));
  return framed.append(content);
}

TEST(MessageReaderTest, HoweverBytesArriveTheMessagesAreTheSame) {
  const std::vector<std::string> contents{"", "a", std::string(70'000, 'x'), "", "last"};
  std::string stream;
  for (const std::string& content : contents) stream += Framed(content);
  for (const std::size_t step : {1UL, 2UL, 5UL, 7UL, 4096UL, stream.size()}) {
    resource::ByteBudget budget(1 << 20);
    MessageReader reader(budget, 1 << 20);
    std::vector<std::string> found;
    for (std::size_t at = 0; at < stream.size(); at += step) {
      std::string_view piece = std::string_view(stream).substr(at, step);
      while (!piece.empty()) {
        if (!reader.Read(piece).value()) continue;
        found.emplace_back(reader.TakeMessage().bytes.view());
      }
    }
    EXPECT_EQ(found, contents) << "in steps of " << step;
    EXPECT_FALSE(reader.in_message());
    EXPECT_EQ(budget.used(), 0);
  }
}

TEST(MessageReaderTest, AnAnnouncedLengthTakesNoMemory) {
  resource::ByteBudget budget(1 << 30);
  MessageReader reader(budget, 1 << 30);
  const std::string prefix = "\0\x3f\xff\xff\xff"s;
  std::string_view head = prefix;
  EXPECT_FALSE(reader.Read(head).value());
  EXPECT_TRUE(reader.in_message());
  EXPECT_EQ(budget.used(), 0);
}

TEST(MessageReaderTest, WhatIsTooLargeOrOddIsRefused) {
  resource::ByteBudget budget(100'000);
  const auto reason_of = [&](const std::string& bytes, std::uint64_t bytes_max) {
    MessageReader reader(budget, bytes_max);
    std::string_view view = bytes;
    while (!view.empty()) {
      const Result<bool> read = reader.Read(view);
      if (!read.ok()) return read.status().reason();
    }
    return Reason::kInternal;
  };
  EXPECT_EQ(reason_of("\0\xff\xff\xff\xff"s, 1000), Reason::kPayloadTooLarge);
  EXPECT_EQ(reason_of(Framed(std::string(1001, 'x')), 1000), Reason::kPayloadTooLarge);
  EXPECT_EQ(reason_of("\2\0\0\0\0"s, 1000), Reason::kMalformedRequest);
  EXPECT_EQ(reason_of(Framed(std::string(150'000, 'x')), 1 << 20), Reason::kPayloadTooLarge);
  EXPECT_EQ(budget.used(), 0);
}

TEST(MessageReaderTest, TheFlagTellsOfCompression) {
  resource::ByteBudget budget(1 << 20);
  MessageReader reader(budget, 1000);
  const std::string framed = Framed("zip", true);
  std::string_view view = framed;
  ASSERT_TRUE(reader.Read(view).value());
  EXPECT_TRUE(reader.TakeMessage().compressed);
}

}  // namespace
}  // namespace mlos::api::grpc::call
