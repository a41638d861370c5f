// SPDX-License-Identifier: MIT
#include "base/text.h"

#include <gtest/gtest.h>

#include <string_view>
#include <utility>

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

TEST(PlainLength, EndsAtEveryByteThatIsNotPlainWhereverItStands) {
  const auto plain = [](int c) { return c >= ' ' && c < 0x7f && c != '"' && c != '\\'; };
  for (int c = 0; c < 256; ++c) {
    for (std::size_t size = 1; size <= 25; ++size) {
      for (std::size_t at = 0; at < size; ++at) {
        std::string text(size, '~');
        text[at] = static_cast<char>(c);
        if (at + 1 < size) text[at + 1] = plain(c) ? ' ' : '\x80';  // behind it, anything
        ASSERT_EQ(PlainLength(text), plain(c) ? size : at) << c << ' ' << size << ' ' << at;
      }
    }
  }
  EXPECT_TRUE(IsPlain(""));
  EXPECT_FALSE(IsPlain("a long text with a quote \" in it"));
}

TEST(Excerpt, IsShortPrintableAndCutBetweenCharacters) {
  EXPECT_EQ(Excerpt("as it is"), "as it is");
  EXPECT_EQ(Excerpt("a\nb\x1b[31m\xff"), "a?b?[31m?");
  EXPECT_EQ(Excerpt("\xc3\xa9\xc3\xa9\xc3\xa9", 5), "\xc3\xa9\xc3\xa9…");
  EXPECT_TRUE(IsValidUtf8(Excerpt("\xc3\xa9\xc3\xa9\xc3\xa9", 3)));
  EXPECT_EQ(Excerpt(std::string(200, 'x')).size(), 80 + std::string("…").size());
}

TEST(Escaped, LeavesNothingThatATerminalObeysOrHides) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"as it is: é 日本 😀 …", "as it is: é 日本 😀 …"},
      {"a\nb\tc\r", "a\\u000ab\\u0009c\\u000d"},
      {std::string_view("\0", 1), "\\u0000"},
      {"\x1b[31mred\x1b]0;title\a", "\\u001b[31mred\\u001b]0;title\\u0007"},
      {"\x7f", "\\u007f"},
      {"\xc2\x9b"
       "31m",
       "\\u009b31m"},  // CSI in one character
      {"\xe2\x80\xa8\xe2\x80\xa9", "\\u2028\\u2029"},
      {"user\xe2\x80\xaetxt.exe", "user\\u202etxt.exe"},
      {"\xe2\x81\xa6\xe2\x81\xa9\xd8\x9c\xe2\x80\x8f", "\\u2066\\u2069\\u061c\\u200f"},
      {"a\xe2\x80\x8b\xef\xbb\xbf"
       "b",
       "a\\u200b\\ufeffb"},
      {"\xf3\xa0\x81\x81", "\\udb40\\udc41"},  // a tag, which is ASCII in disguise
      {"\xff\xc0\x80", "\\ufffd\\ufffd\\ufffd"},
      {"\xe2\x82", "\\ufffd\\ufffd"},
  };
  for (const auto& [text, shown] : cases) EXPECT_EQ(Escaped(text), shown);
}

}  // namespace
}  // namespace mlos
