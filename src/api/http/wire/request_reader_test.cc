// SPDX-License-Identifier: MIT
#include "api/http/wire/request_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace mlos::api::http::wire {
namespace {

using testing::ElementsAre;

constexpr std::string_view kThree =
    "GET /none HTTP/1.1\r\nHost: x\r\n\r\n"
    "POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabcde"
    "POST /chunks HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    "2\r\nfg\r\n3;a=b\r\nhij\r\n0\r\n\r\n";
constexpr std::uint64_t kLargestBody = 10 << 20;

class RequestReaderTest : public testing::Test {
 protected:
  /// Puts up to `step` bytes of `bytes` into `room`.
  Status Feed(RequestReader::Room room, std::string_view& bytes, std::size_t step) {
    const std::size_t count = std::min({step, room.size, bytes.size()});
    bytes.copy(room.at, count);
    bytes.remove_prefix(count);
    return reader_.Commit(count);
  }

  Status ReadHead(std::string_view& bytes, std::size_t step) {
    while (!MLOS_TRY(reader_.ReadHead())) {
      if (bytes.empty()) return {Reason::kCancelled, "the caller has sent everything"};
      MLOS_TRY(Feed(reader_.RoomForHead(), bytes, step));
    }
    return OkStatus();
  }

  Status ReadBody(std::string_view& bytes, std::size_t step) {
    while (true) {
      MLOS_TRY(reader_.ReadBody());
      if (reader_.whole()) return reader_.FinishBody();
      MLOS_TRY(Feed(reader_.RoomForBody(), bytes, step));
    }
  }

  /// Each request's target and body, then the reason why there is no further one.
  std::vector<std::string> Requests(std::string_view bytes, std::size_t step) {
    std::vector<std::string> found;
    while (true) {
      Status read = ReadHead(bytes, step);
      std::string request;
      if (read.ok()) {
        request = std::string(reader_.head().target);
        reader_.ExpectBody(1, kLargestBody);
        reader_.EndHead();
        read = ReadBody(bytes, step);
      }
      if (!read.ok()) {
        found.emplace_back(ToString(read.reason()));
        return found;
      }
      found.push_back(request.append(reader_.TakeBody().view()));
      reader_.Next();
    }
  }

  const guard::HeadLimits limits_;
  resource::ByteBudget budget_{1 << 20};
  RequestReader reader_{limits_, budget_};
};

TEST_F(RequestReaderTest, ReadsRequestsHoweverTheirBytesArrive) {
  for (const std::size_t step : {1, 2, 7, 60, 1000}) {
    EXPECT_THAT(Requests(kThree, step),
                ElementsAre("/none ", "/length abcde", "/chunks fghij", "CANCELLED"))
        << "in steps of " << step;
    reader_.Next();
  }
}

TEST_F(RequestReaderTest, OnlyABodyOfKnownLengthIsReceivedInPlace) {
  std::string_view rest = kThree;
  rest.remove_prefix(rest.find("POST /length"));
  const std::size_t head_bytes = rest.find("abcde");
  std::string_view head = rest.substr(0, head_bytes);
  ASSERT_TRUE(ReadHead(head, head_bytes).ok());
  reader_.ExpectBody(0, kLargestBody);
  reader_.EndHead();
  EXPECT_EQ(reader_.RoomForBody().size, 5u) << "what follows is the next request's";
  EXPECT_TRUE(reader_.RoomForBody().in_place);
  rest.remove_prefix(head_bytes);
  ASSERT_TRUE(ReadBody(rest, rest.size()).ok());
  EXPECT_EQ(reader_.TakeBody().view(), "abcde");
  reader_.Next();
  head = rest.substr(0, rest.find("2\r\n"));
  ASSERT_TRUE(ReadHead(head, head.size()).ok());
  reader_.ExpectBody(0, kLargestBody);
  reader_.EndHead();
  EXPECT_FALSE(reader_.RoomForBody().in_place);
}

TEST_F(RequestReaderTest, ABodyBeyondTheBudgetHasNoRoom) {
  std::string_view head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\n\r\n";
  ASSERT_TRUE(ReadHead(head, head.size()).ok());
  reader_.ExpectBody(0, kLargestBody);
  reader_.EndHead();
  const std::string piece(100'000, 'x');
  RequestReader::Room room = reader_.RoomForBody();
  for (int i = 0; room.at != nullptr && i < 100; ++i) {
    std::string_view bytes = piece;
    ASSERT_TRUE(Feed(room, bytes, bytes.size()).ok());
    room = reader_.RoomForBody();
  }
  EXPECT_EQ(room.at, nullptr);
  EXPECT_EQ(reader_.status().reason(), Reason::kPayloadTooLarge);
}

TEST_F(RequestReaderTest, RefusesWhatCannotBeTold) {
  EXPECT_THAT(Requests("GET / HTTP/1.1\nHost: x\n\n", 1), ElementsAre("MALFORMED_REQUEST"));
}

TEST_F(RequestReaderTest, RefusesAChunkHeaderWithoutEnd) {
  const std::string request = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;" +
                              std::string(20'000, 'a');
  EXPECT_THAT(Requests(request, 1000), ElementsAre("MALFORMED_REQUEST"));
}

}  // namespace
}  // namespace mlos::api::http::wire
