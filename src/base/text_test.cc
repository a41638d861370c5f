// SPDX-License-Identifier: MIT
#include "base/text.h"

#include <gtest/gtest.h>

namespace mlos {
namespace {

TEST(Utf8, EveryBoundaryOfTheEncodingIsDrawn) {
  for (const char* good :
       {"", "plain", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
        "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(IsValidUtf8(good)) << good;
  }
  for (const char* bad :
       {"\x80", "\xc0\x80", "\xc1\xbf", "\xc2", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xe2\x82",
        "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "a\xe2\x28\xa1"}) {
    EXPECT_FALSE(IsValidUtf8(bad)) << bad;
  }
}

TEST(Excerpt, IsShortPrintableAndCutBetweenCharacters) {
  EXPECT_EQ(Excerpt("as it is"), "as it is");
  EXPECT_EQ(Excerpt("a\nb\x1b[31m\xff"), "a?b?[31m?");
  EXPECT_EQ(Excerpt("\xc3\xa9\xc3\xa9\xc3\xa9", 5), "\xc3\xa9\xc3\xa9…");
  EXPECT_TRUE(IsValidUtf8(Excerpt("\xc3\xa9\xc3\xa9\xc3\xa9", 3)));
  EXPECT_EQ(Excerpt(std::string(200, 'x')).size(), 80 + std::string("…").size());
}

}  // namespace
}  // namespace mlos
