// SPDX-License-Identifier: MIT
#include "net/coding.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace mlos::net {
namespace {

std::string Gzip(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()) + 32, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

constexpr std::uint64_t kMax = 64 << 20;

class InflateTest : public testing::Test {
 protected:
  std::string Verdict(std::string_view compressed, std::uint64_t bytes_max = kMax) {
    const auto inflated = Inflate(ContentCoding::kGzip, compressed, bytes_max, budget_);
    return inflated.ok() ? "OK" : std::string(ToString(inflated.status().reason()));
  }

  resource::ByteBudget budget_{256 << 20};
};

TEST_F(InflateTest, BringsBackWhatWasCompressed) {
  for (const std::string& text : {std::string(), std::string("abc"), std::string(3'000'000, 'x')}) {
    EXPECT_EQ(Inflate(ContentCoding::kGzip, Gzip(text), kMax, budget_).value().view(), text);
  }
  EXPECT_EQ(Inflate(ContentCoding::kGzip, Gzip("one ") + Gzip("two"), kMax, budget_).value().view(),
            "one two");
}

TEST_F(InflateTest, NamesWhatIsDamaged) {
  const std::string good = Gzip("some text that is long enough to be cut");
  std::string checksum = good;
  checksum[good.size() - 6] ^= 1;
  std::string length = good;
  length[good.size() - 2] ^= 1;
  std::string middle = good;
  middle[12] ^= 0x5a;
  const std::pair<std::string, std::string> cases[] = {
      {"", "is cut off"},
      {"not gzip", "is no gzip file"},
      {good.substr(0, 5), "is cut off"},
      {good.substr(0, good.size() - 1), "is cut off"},
      {good.substr(0, good.size() - 8), "is cut off"},
      {checksum, "has a checksum that its content does not have"},
      {length, "has a length that its content does not have"},
      {good + "x", "is cut off"},  // it could become another member
      {good + "trailing bytes", "has bytes behind its end"},
      {good + std::string(20, '\0'), "has bytes behind its end"},
      {good + checksum, "has a checksum that its content does not have"},
  };
  for (const auto& [compressed, problem] : cases) {
    const auto inflated = Inflate(ContentCoding::kGzip, compressed, kMax, budget_);
    ASSERT_FALSE(inflated.ok()) << problem;
    EXPECT_EQ(inflated.status().reason(), Reason::kMalformedRequest);
    EXPECT_EQ(inflated.status().message(), "the body, sent as gzip, " + problem);
  }
  EXPECT_EQ(Verdict(middle), "MALFORMED_REQUEST");
}

TEST_F(InflateTest, NamesWhatIsDamagedInAZlibStream) {
  ByteBuffer packed(budget_);
  ASSERT_TRUE(Deflate(ContentCoding::kDeflate, "some text", packed).ok());
  const std::string good(packed.view());
  std::string checksum = good;
  checksum.back() ^= 1;
  const std::pair<std::string, std::string> cases[] = {
      {good.substr(0, good.size() - 1), "is cut off"},
      {checksum, "has a checksum that its content does not have"},
      {good + "x", "has bytes behind its end"},
      {Gzip("some text"), "is no zlib stream (RFC 1950)"},
  };
  for (const auto& [compressed, problem] : cases) {
    const auto inflated = Inflate(ContentCoding::kDeflate, compressed, kMax, budget_);
    ASSERT_FALSE(inflated.ok()) << problem;
    EXPECT_EQ(inflated.status().message(), "the body, sent as deflate, " + problem);
  }
}

TEST_F(InflateTest, RefusesBombsBeforeTheyGoOff) {
  const std::string bomb = Gzip(std::string(40 << 20, '\0'));
  EXPECT_EQ(Verdict(bomb), "PAYLOAD_TOO_LARGE");  // by its ratio
  EXPECT_EQ(Verdict(Gzip(std::string(2'000'000, '0')), 1'000'000), "PAYLOAD_TOO_LARGE");
  resource::ByteBudget small(1 << 20);
  EXPECT_EQ(Inflate(ContentCoding::kGzip, bomb, kMax, small).status().reason(),
            Reason::kPayloadTooLarge);
  EXPECT_EQ(budget_.used(), 0);
}

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

/// Gives a text in pieces of `piece_bytes`.
class TextSource : public BodySource {
 public:
  TextSource(std::string text, std::size_t piece_bytes)
      : text_(std::move(text)), piece_bytes_(piece_bytes) {}

  std::optional<std::uint64_t> length() const override { return text_.size(); }
  std::string_view Next() override {
    const std::string_view piece = std::string_view(text_).substr(given_, piece_bytes_);
    given_ += piece.size();
    return piece;
  }

 private:
  const std::string text_;
  const std::size_t piece_bytes_;
  std::size_t given_ = 0;
};

TEST(DeflatedBodyTest, ComesBackWholeHoweverItIsCut) {
  resource::ByteBudget budget(64 << 20);
  std::string numbers;
  std::string noise;
  std::uint32_t state = 1;
  for (int i = 0; i < 100'000; ++i) {
    state = state * 1664525 + 1013904223;
    noise += static_cast<char>(state >> 24);
    numbers += std::to_string(state % 1'000'000) + ",";
  }
  for (const ContentCoding coding : {ContentCoding::kGzip, ContentCoding::kDeflate}) {
    for (const std::string& text : {std::string(), std::string("a"), numbers, noise}) {
      for (const std::size_t piece_bytes : {1'000, 32 << 10, 1 << 20}) {
        const auto body =
            DeflatedBody::Create(coding, std::make_unique<TextSource>(text, piece_bytes)).value();
        std::string packed;
        for (std::string_view piece = body->Next(); !piece.empty(); piece = body->Next()) {
          EXPECT_LE(piece.size(), 13 << 10);
          packed += piece;
        }
        EXPECT_TRUE(body->Next().empty());
        EXPECT_EQ(Inflate(coding, packed, 1 << 20, budget).value().view(), text);
        EXPECT_LE(packed.size(), text.size() + text.size() / 100 + 32);
      }
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
