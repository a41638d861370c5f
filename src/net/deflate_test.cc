// SPDX-License-Identifier: MIT
#include "net/deflate.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "net/inflate.h"

namespace mlos::net {
namespace {

TEST(DeflateTest, ComesBackWhole) {
  resource::ByteBudget budget(64 << 20);
  std::string mixed;
  for (std::uint32_t i = 0; i < 300'000; ++i) mixed += static_cast<char>((i * i) >> 5);
  for (const ContentCoding coding : {ContentCoding::kGzip, ContentCoding::kDeflate}) {
    for (const std::string& text : {std::string("a"), std::string(500'000, 'x'), mixed}) {
      ByteBuffer packed(budget);
      ASSERT_TRUE(Deflate(coding, text, packed).ok());
      EXPECT_LT(packed.size(), text.size() + 64);
      EXPECT_EQ(Inflate(coding, packed.view(), 1 << 20, budget).value().view(), text);
    }
  }
}

TEST(DeflateTest, HoldsToTheBudget) {
  resource::ByteBudget budget(32 << 10);
  std::string noise;
  std::uint32_t state = 1;
  for (int i = 0; i < 100'000; ++i) {
    state = state * 1664525 + 1013904223;
    noise += static_cast<char>(state >> 24);
  }
  ByteBuffer packed(budget);
  EXPECT_EQ(Deflate(ContentCoding::kGzip, noise, packed).reason(), Reason::kPayloadTooLarge);
}

}  // namespace
}  // namespace mlos::net
