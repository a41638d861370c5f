// SPDX-License-Identifier: MIT
#include "api/http/wire/coding.h"

#include <gtest/gtest.h>

#include <string_view>

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

}  // namespace
}  // namespace mlos::api::http::wire
