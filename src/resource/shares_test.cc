// SPDX-License-Identifier: MIT
#include "resource/shares.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace mlos::resource {
namespace {

using Places = Shares<int>;

/// Takes for `holder` as long as the rule lets it; returns how many it has then.
std::uint64_t Fill(Places& places, int holder) {
  while (places.HasRoomFor(holder)) places.Take(holder);
  return places.held_by(holder);
}

TEST(Shares, OneWhoIsAloneHasAllButTheReserve) {
  for (const std::uint64_t limit : {1U, 2U, 7U, 8U, 9U, 64U, 1000U}) {
    Places places(limit);
    const std::uint64_t reserve = limit == 1 ? 0 : std::max<std::uint64_t>(limit / 8, 1);
    EXPECT_EQ(Fill(places, 1), limit - reserve) << limit;
    EXPECT_EQ(Fill(places, 2), reserve) << limit << ": the reserve is for others";
  }
}

TEST(Shares, TwoWhoComeTogetherHaveHalfEach) {
  Places places(100);
  for (int i = 0; i < 100; ++i) {
    for (const int holder : {1, 2}) {
      if (places.HasRoomFor(holder)) places.Take(holder);
    }
  }
  EXPECT_EQ(places.held_by(1), 50U);
  EXPECT_EQ(places.held_by(2), 50U);
}

TEST(Shares, NamesTheOneAboveHalfOnlyWhileItIs) {
  Places places(10);
  for (int i = 0; i < 5; ++i) places.Take(1);
  EXPECT_FALSE(places.over_half().has_value());
  places.Take(1);
  places.Take(2);
  EXPECT_EQ(places.over_half(), 1);
  EXPECT_EQ(places.largest(), 1);
  places.Give(1);
  EXPECT_FALSE(places.over_half().has_value());
  for (int i = 0; i < 5; ++i) places.Give(1);
  EXPECT_EQ(places.largest(), 2);
  places.Give(2);
  EXPECT_EQ(places.total(), 0U);
  EXPECT_FALSE(places.largest().has_value());
}

/// A few greedy holders and one who comes later, in an order that only the seed decides.
class Crowd {
 public:
  explicit Crowd(unsigned seed) : random_(seed), places_(Number(1, 200)) {
    for (int i = 0; i < 2'000; ++i) TakeOrGive(Number(1, 3));
  }

  Places& places() { return places_; }
  std::uint64_t Number(std::uint64_t from, std::uint64_t to) {
    return std::uniform_int_distribution(from, to)(random_);
  }
  void TakeOrGive(std::uint64_t who) {
    const int holder = static_cast<int>(who);
    if (Number(0, 3) != 0) {
      if (places_.HasRoomFor(holder)) places_.Take(holder);
    } else if (places_.held_by(holder) != 0) {
      places_.Give(holder);
    }
    EXPECT_LE(places_.total(), places_.rule().limit());
  }

 private:
  std::mt19937 random_;
  Places places_;
};

TEST(Shares, AfterAnySequenceNobodyKeepsAnotherFromHalf) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    Crowd crowd(seed);
    Places& places = crowd.places();
    // The others go. Of the one that stays whatever ends is taken again at once, if it may be.
    for (const int leaving : {2, 3}) {
      while (places.held_by(leaving) != 0) places.Give(leaving);
    }
    Fill(places, 1);
    const std::uint64_t half = places.rule().limit() / 2;
    std::uint64_t ended = 0;
    Fill(places, 4);
    while (places.held_by(4) < half) {
      ASSERT_LE(++ended, places.rule().limit()) << "seed " << seed << ": no end of it";
      places.Give(1);
      if (crowd.Number(0, 1) == 0) Fill(places, 1);
      Fill(places, 4);
    }
  }
}

}  // namespace
}  // namespace mlos::resource
