// SPDX-License-Identifier: MIT
#include "json/parser.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "json/json_error.h"

namespace mlos::json {
namespace {

static_assert(net::kBodyPaddingBytes >= simdjson::SIMDJSON_PADDING);

// simdjson takes 17/3 bytes for each of the text: less than 1 MiB for this.
constexpr std::size_t kKeptTextBytes = 128 << 10;
constexpr std::size_t kSmallestTextBytes = 4 << 10;
// Up to here the bound of four bytes of index for each byte of text is good enough.
constexpr std::size_t kUnmeasuredTextBytes = 16 << 20;

// simdjson counts the document and an element as levels too. ShapeTracker keeps to kDepthMax.
constexpr std::size_t kParserDepth = kDepthMax + 8;

thread_local std::unique_ptr<simdjson::ondemand::parser> t_parser;

}  // namespace

std::uint64_t ParserBytes(std::string_view text) {
  std::uint64_t entries = text.size();
  if (text.size() > kUnmeasuredTextBytes) {
    // An entry for each of these characters and for each value between two of them.
    const auto operators = std::count_if(text.begin(), text.end(), [](char c) {
      return (c == ',') | (c == ':') | (c == '[') | (c == ']') | (c == '{') | (c == '}');
    });
    entries = std::min<std::uint64_t>(entries, 2 * static_cast<std::uint64_t>(operators) + 2);
  }
  return entries * sizeof(std::uint32_t);
}

Result<simdjson::ondemand::document> ParserLease::Open(const net::ByteBuffer& body,
                                                       std::size_t size,
                                                       resource::ByteBudget& budget) {
  parser_ = std::move(t_parser);
  if (parser_ == nullptr) parser_ = std::make_unique<simdjson::ondemand::parser>();
  if (size == 0) return JsonError(simdjson::EMPTY);
  if (size > parser_->capacity()) {
    if (size > kKeptTextBytes) {
      MLOS_TRY(net::RaiseReservation(budget, reservation_, ParserBytes({body.data(), size})));
    }
    // A little larger than asked for, so that the next body seldom needs another one.
    const std::size_t capacity =
        size > kKeptTextBytes ? size : std::bit_ceil(std::max(size, kSmallestTextBytes));
    if (const auto error = parser_->allocate(capacity, kParserDepth)) return JsonError(error);
  }
  simdjson::ondemand::document document;
  const simdjson::padded_string_view text(body.data(), size, body.capacity());
  if (const auto error = parser_->iterate(text).get(document)) return JsonError(error);
  return document;
}

Result<simdjson::ondemand::object> ObjectOf(simdjson::ondemand::document& document) {
  simdjson::ondemand::json_type type;
  if (const auto error = document.type().get(type)) return JsonError(error);
  if (type != simdjson::ondemand::json_type::object) {
    return Status(Reason::kMalformedJson, "the body is not a JSON object");
  }
  simdjson::ondemand::object object;
  if (const auto error = document.get_object().get(object)) return JsonError(error);
  return object;
}

Status CheckEnd(simdjson::ondemand::document& document) {
  if (document.current_location().error() == simdjson::OUT_OF_BOUNDS) return OkStatus();
  return JsonError(simdjson::TRAILING_CONTENT);
}

ParserLease::~ParserLease() {
  if (parser_ != nullptr && parser_->capacity() <= kKeptTextBytes) t_parser = std::move(parser_);
}

}  // namespace mlos::json
