// SPDX-License-Identifier: MIT
#include "api/http/wire/request_reader.h"

#include <algorithm>

namespace mlos::api::http::wire {
namespace {

constexpr std::size_t kHeadReadBytes = 4 << 10;  // room for a head and a small body
// At a time, into the body itself: as much again as has arrived, or as much as the body before had,
// within these.
constexpr std::size_t kBodyReadBytesMin = 64 << 10;
constexpr std::size_t kBodyReadBytesMax = 1 << 20;
constexpr std::size_t kChunkReadBytes = 16 << 10;
// What may wait unparsed while a chunk header is still incomplete.
constexpr std::size_t kChunkHeaderBytesMax = 8 << 10;

}  // namespace

Result<bool> RequestReader::ReadHead() {
  const std::size_t head_bytes = MLOS_TRY(guard_.Inspect(received_.view()));
  if (head_bytes == 0) return false;
  parser_.emplace();
  MLOS_TRY(parser_->ParseHead(received_.view().substr(0, head_bytes)));
  return true;
}

void RequestReader::ExpectBody(std::size_t lead_bytes, std::uint64_t bytes_max) {
  body_ = net::ByteBuffer(budget_);
  body_.Expect(static_cast<std::size_t>(head().content_length.value_or(0)) + lead_bytes +
               net::kBodyPaddingBytes);
  for (std::size_t i = 0; i < lead_bytes; ++i) body_.Append(' ');
  parser_->ExpectBody(body_, bytes_max + lead_bytes);
}

Status RequestReader::ReadBody() {
  if (whole() || received_.empty()) return OkStatus();
  const std::size_t used = MLOS_TRY(parser_->ParseBody(received_.view()));
  received_.Consume(used);
  if (whole() || received_.size() <= kChunkHeaderBytesMax) return OkStatus();
  return {Reason::kMalformedRequest, "a chunk header is longer than 8192 bytes"};
}

Status RequestReader::FinishBody() {
  body_bytes_before_ = body_.size();
  if (body_.empty() || body_.Pad(net::kBodyPaddingBytes)) return OkStatus();
  return body_.status();
}

RequestReader::Room RequestReader::RoomForHead() {
  into_ = &received_;
  char* const at = received_.Prepare(kHeadReadBytes);
  return {.at = at, .size = received_.capacity() - received_.size()};
}

// A body of known length is received where it stays; chunks have to be taken apart first.
RequestReader::Room RequestReader::RoomForBody() {
  const std::uint64_t rest = parser_->remaining_bytes();
  const bool in_place = received_.empty() && rest != 0;
  into_ = in_place ? &body_ : &received_;
  const std::size_t wanted = in_place
                                 ? static_cast<std::size_t>(std::min<std::uint64_t>(
                                       rest, std::clamp(std::max(body_.size(), body_bytes_before_),
                                                        kBodyReadBytesMin, kBodyReadBytesMax)))
                                 : kChunkReadBytes;
  return {
      .at = into_->Prepare(wanted + net::kBodyPaddingBytes), .size = wanted, .in_place = in_place};
}

Status RequestReader::Commit(std::size_t count) {
  const net::ByteBuffer* const into = std::exchange(into_, nullptr);
  if (into == &received_) {
    received_.Commit(count);
  } else {
    MLOS_TRY(parser_->ParseBody({body_.data() + body_.size(), count}));
  }
  return OkStatus();
}

void RequestReader::Next() {
  guard_.Reset();
  if (received_.empty() && received_.capacity() > kChunkReadBytes && into_ == nullptr) {
    received_ = net::ByteBuffer(budget_);
  }
}

}  // namespace mlos::api::http::wire
