// SPDX-License-Identifier: MIT
#include "api/grpc/call/metadata.h"

#include <gtest/gtest.h>

#include <map>

namespace mlos::api::grpc::call {
namespace {

std::map<std::string, std::string> Trailers(const Status& status) {
  std::map<std::string, std::string> found;
  for (const http2::Header& header : TrailersOf(status)) found[header.name] = header.value;
  return found;
}

TEST(MetadataTest, TimeoutsHaveSixUnits) {
  const std::map<std::string, std::int64_t> valid_us{
      {"1H", 3'600'000'000},
      {"2M", 120'000'000},
      {"3S", 3'000'000},
      {"4m", 4'000},
      {"5000u", 5'000},
      {"6000000n", 6'000},
      {"999n", 0},
      {"0S", 0},
      {"99999999H", 99'999'999LL * 3'600'000'000},
      {"00000100m", 100'000},
  };
  for (const auto& [text, us] : valid_us) EXPECT_EQ(ParseTimeout(text)->count(), us) << text;
  for (const char* text : {"", "1", "S", "1s", "1h", "-1S", "+1S", "1.0S", "123456789S", " 1S"}) {
    EXPECT_EQ(ParseTimeout(text).status().field(), "grpc-timeout") << text;
  }
}

TEST(MetadataTest, MessagesAreEncodedWhereTheyAreNotPlain) {
  EXPECT_EQ(PercentEncode("plain text, ~!"), "plain text, ~!");
  EXPECT_EQ(PercentEncode("100%\n\xC3\xA4\x7F"), "100%25%0A%C3%A4%7F");
}

TEST(MetadataTest, StatusBecomesTrailers) {
  EXPECT_EQ(Trailers(OkStatus()), (std::map<std::string, std::string>{{"grpc-status", "0"}}));
  const auto trailers =
      Trailers(Status(Reason::kShapeMismatch, "5% too much").WithField("input x"));
  EXPECT_EQ(trailers.at("grpc-status"), "3");
  EXPECT_EQ(trailers.at("grpc-message"), "5%25 too much");
  EXPECT_EQ(trailers.at("mlos-reason"), "SHAPE_MISMATCH");
  EXPECT_EQ(trailers.at("mlos-field"), "input x");
  EXPECT_EQ(Trailers(Status(Reason::kPayloadTooLarge, "")).at("grpc-status"), "8");
  EXPECT_EQ(Trailers(Status(Reason::kRouteNotFound, "")).at("grpc-status"), "12");
  EXPECT_EQ(Trailers(Status(Reason::kDraining, "")).at("grpc-status"), "14");
  EXPECT_LT(Trailers(Status(Reason::kInternal, std::string(1 << 20, 'x')))["grpc-message"].size(),
            4096);
}

TEST(MetadataTest, WhoMeetsAFullServerIsToldWhenToComeBack) {
  for (const auto& [reason, told] :
       {std::pair{Reason::kOverloaded, 1}, std::pair{Reason::kPayloadTooLarge, 0},
        std::pair{Reason::kInternal, 0}}) {
    EXPECT_EQ(Trailers(Status(reason, "")).count("grpc-retry-pushback-ms"), told)
        << ToString(reason);
  }
}

TEST(MetadataTest, OnlyProtobufOverGrpcIsACall) {
  for (const char* type : {"application/grpc", "application/grpc+proto", "application/grpc;a=b"}) {
    EXPECT_TRUE(IsGrpcContentType(type)) << type;
  }
  for (const char* type : {"", "application/json", "application/grpcx", "application/grpc+json",
                           "application/grpc-web"}) {
    EXPECT_FALSE(IsGrpcContentType(type)) << type;
  }
}

}  // namespace
}  // namespace mlos::api::grpc::call
