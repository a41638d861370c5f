// SPDX-License-Identifier: MIT
#include "api/http/wire/coding.h"

#include <gtest/gtest.h>

#include <string>

#include "api/http/wire/deflate.h"
#include "api/http/wire/inflate.h"

namespace mlos::api::http::wire {
namespace {

TEST(CodingTest, ChoosesWhatTheCallerLikesBest) {
  const struct {
    std::string_view accept;
    ContentCoding chosen;
  } cases[] = {
      {"", ContentCoding::kIdentity},
      {"identity", ContentCoding::kIdentity},
      {"br, zstd", ContentCoding::kIdentity},
      {"*", ContentCoding::kIdentity},
      {"gzip", ContentCoding::kGzip},
      {"GZIP ;q=1.0", ContentCoding::kGzip},
      {"deflate", ContentCoding::kDeflate},
      {"deflate, gzip", ContentCoding::kGzip},
      {"gzip;q=0.5, deflate;q=0.501", ContentCoding::kDeflate},
      {"gzip;q=0, deflate;q=0.000", ContentCoding::kIdentity},
      {"gzip;q=no", ContentCoding::kIdentity},
      {"gzip;level=9", ContentCoding::kIdentity},
      {",,gzip,", ContentCoding::kGzip},
      {"gzip;q=1.0000", ContentCoding::kIdentity},
  };
  for (const auto& c : cases) EXPECT_EQ(ChooseCoding(c.accept), c.chosen) << c.accept;
}

TEST(CodingTest, ParsesOneCoding) {
  EXPECT_EQ(ParseCoding("x-GZip"), ContentCoding::kGzip);
  EXPECT_EQ(ParseCoding("deflate"), ContentCoding::kDeflate);
  EXPECT_EQ(ParseCoding("identity"), ContentCoding::kIdentity);
  for (const std::string_view other : {"", "br", "gzip, gzip", "gzip,deflate"}) {
    EXPECT_FALSE(ParseCoding(other)) << other;
  }
}

TEST(DeflateTest, ComesBackWhole) {
  resource::ByteBudget budget(64 << 20);
  std::string mixed;
  for (int i = 0; i < 300'000; ++i) mixed += static_cast<char>((i * i) >> 5);
  for (const ContentCoding coding : {ContentCoding::kGzip, ContentCoding::kDeflate}) {
    for (const std::string& text : {std::string("a"), std::string(500'000, 'x'), mixed}) {
      const ByteBuffer packed = Deflate(coding, text, budget).value();
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
  EXPECT_EQ(Deflate(ContentCoding::kGzip, noise, budget).status().reason(),
            Reason::kPayloadTooLarge);
}

}  // namespace
}  // namespace mlos::api::http::wire
