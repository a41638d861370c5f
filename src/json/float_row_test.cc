// SPDX-License-Identifier: MIT
#include "json/float_row.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace mlos::json {
namespace {

using Stop = FloatRow::Stop;

/// A row that was read from text behind its '['.
struct RowOutcome {
  explicit RowOutcome(const std::string& text, std::size_t max = 100) : numbers(max) {
    const std::string padded = text + std::string(64, '\0');
    const FloatRow row =
        ReadFloatRow(padded.data(), padded.data() + text.size(), numbers.data(), max);
    stop = row.stop;
    used = static_cast<std::size_t>(row.next - padded.data());
    numbers.resize(row.count);
  }

  std::vector<float> numbers;
  Stop stop;
  std::size_t used;
};

TEST(FloatRow, ReadsNumbersOfEveryForm) {
  const RowOutcome row(
      "0,-0,1,-2.5, 3.25 ,\t12345678,123456789.5\n,1e3,-1.5E-3,0.1,9007199254740993,"
      "0.84442185152504812,1234567890123456789,0.0000000000000000000000000001,12e0]tail");
  EXPECT_EQ(row.stop, Stop::kEnd);
  EXPECT_THAT(row.numbers,
              testing::ElementsAre(0.0F, -0.0F, 1.0F, -2.5F, 3.25F, 12345678.0F, 123456789.5F,
                                   1000.0F, -1.5e-3F, 0.1F, 9007199254740993.0F,
                                   0.84442185152504812F, 1234567890123456789.0F, 1e-28F, 12.0F));
  EXPECT_TRUE(std::signbit(row.numbers.at(1)));
}

TEST(FloatRow, ReadsShortNumbersAtEveryPlaceOfTheirSignAndPoint) {
  const std::string digits = "1234567890123456";
  std::string text = "0,0,0,0,0,0,0,0,0";
  std::vector<float> expected(9, 0.0F);
  for (const std::string sign : {"", "-"}) {
    for (std::size_t length = 1; length <= digits.size(); ++length) {
      for (std::size_t point = 1; point <= length; ++point) {
        std::string number = sign + digits.substr(0, length);
        if (point != length) number.insert(sign.size() + point, ".");
        text += "," + number;
        expected.push_back(std::strtof(number.c_str(), nullptr));
      }
    }
  }
  EXPECT_EQ(RowOutcome(text + "]", 1000).numbers, expected);
}

TEST(FloatRow, StopsWhereThereIsNoRoomAndGoesOn) {
  const std::string text = "1,2,3]";
  const RowOutcome start(text, 2);
  EXPECT_EQ(start.stop, Stop::kFull);
  EXPECT_THAT(start.numbers, testing::ElementsAre(1, 2));
  const RowOutcome rest(text.substr(start.used), 1);
  EXPECT_EQ(rest.stop, Stop::kEnd);
  EXPECT_THAT(rest.numbers, testing::ElementsAre(3));
}

TEST(FloatRow, StopsAtWhateverIsNoNumber) {
  const std::string before = "0,1,2,3,4,5,6,7,8,9,";
  for (const char* text :
       {"",         "]",       " ",       "1",
        "1,",       "1,]",     ",1]",     "1 2]",
        "01]",      "-01]",    "1.]",     ".5]",
        "-]",       "+1]",     "1e]",     "1e+]",
        "0x10]",    "1.5.5]",  "--1]",    "NaN]",
        "\"NaN\"]", "null]",   "[1]]",    "1}",
        "1e39]",    "3.5e38]", "-1e400]", "99999999999999999999999999999999999999999]",
        "1\v]"}) {
    EXPECT_EQ(RowOutcome(text).stop, Stop::kOther) << text;
    EXPECT_EQ(RowOutcome(before + text).stop, Stop::kOther) << text;
  }
}

/// Shortest texts, texts with too many digits, and texts next to half-way between two floats.
TEST(FloatRow, RoundsEveryNumberToTheNearestFloat) {
  std::mt19937 random(1);
  std::uniform_int_distribution<std::uint32_t> bits;
  for (int i = 0; i < 50'000; ++i) {
    const auto number = std::bit_cast<float>(bits(random));
    if (!std::isfinite(number) || std::abs(number) > 1e15F || std::abs(number) < 1e-15F) continue;
    const double half_way = (static_cast<double>(number) +
                             std::nextafter(number, std::numeric_limits<float>::infinity())) /
                            2;
    for (const double value : {static_cast<double>(number), half_way}) {
      for (const int digits : {0, 6, 9, 17, 19}) {
        char text[400];
        const auto fixed = std::chars_format::fixed;
        const auto end = digits == 0 ? std::to_chars(text, text + 400, value, fixed)
                                     : std::to_chars(text, text + 400, value, fixed, digits);
        float expected = 0;
        std::from_chars(text, end.ptr, expected);
        // The first numbers of a row are not read in the way of those behind them.
        const std::string number(text, end.ptr);
        const std::string row = number + ",0,0,0,0,0,0,0," + number + ", " + number + "]";
        const std::vector<float> numbers = RowOutcome(row, 10).numbers;
        ASSERT_EQ(numbers.size(), 10U) << row;
        for (const std::size_t place : {0, 8, 9}) ASSERT_EQ(numbers[place], expected) << row;
      }
    }
  }
}

}  // namespace
}  // namespace mlos::json
