// SPDX-License-Identifier: MIT
#pragma once

#include <simdjson.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "api/http/tensors/element_sink.h"
#include "api/http/tensors/shape_tracker.h"

namespace mlos::api::http::tensors {

/// Reads nested arrays, or a lone value, into a sink, and learns their shape. Thread-compatible.
template <typename Sink>
class ArrayReader {
 public:
  ArrayReader(Sink& sink, std::size_t outer_depth) : sink_(&sink), shape_(outer_depth) {}

  /// MALFORMED_JSON, NESTING_TOO_DEEP, SHAPE_MISMATCH, DTYPE_MISMATCH, VALUE_OUT_OF_RANGE, each
  /// with the place of the element.
  Status Read(value from) {
    Status status = ReadOther(from, 0);
    if (status.ok()) return status;
    return std::move(status).WithContext("element " + std::to_string(sink_->count()));
  }
  Status Read(simdjson::ondemand::array from) {
    Status status = ReadFirst(from);
    if (status.ok()) return status;
    return std::move(status).WithContext("element " + std::to_string(sink_->count()));
  }

  const tensor::Shape& shape() const { return shape_.shape(); }

 private:
  Status ReadFirst(simdjson::ondemand::array array) {
    if constexpr (Sink::kTakesRows) {
      value first;
      const bool numbers = array.at(0).get(first) == simdjson::SUCCESS && IsNumber(first);
      if (const auto error = array.reset().error()) return json::JsonError(error);
      if (numbers) return ReadRow(array, 0);
    }
    return ReadArray(array, 0);
  }

  Status ReadArray(simdjson::ondemand::array array, std::size_t depth) {
    MLOS_TRY(shape_.Open(depth));
    std::int64_t count = 0;
    bool elements = shape_.HasElementsAt(depth + 1);
    for (auto item : array) {
      value from;
      if (const auto error = item.get(from)) return json::JsonError(error);
      if (!elements || !sink_->Take(from)) [[unlikely]] {
        MLOS_TRY(ReadOther(from, depth + 1));
        elements = shape_.HasElementsAt(depth + 1);
      }
      ++count;
    }
    return shape_.Close(depth, count);
  }

  // Whatever is no plain element at the expected depth.
  Status ReadOther(value& from, std::size_t depth) {
    const auto type = MLOS_TRY(TypeOfElement(from));
    if (type == simdjson::ondemand::json_type::array) return ReadInner(from, depth);
    MLOS_TRY(shape_.Element(depth));
    if (sink_->Take(from)) return OkStatus();
    return sink_->TakeSlow(from);
  }

  Status ReadInner(value& from, std::size_t depth) {
    const bool numbers = Sink::kTakesRows && StartsWithNumber(from);
    simdjson::ondemand::array inner;
    if (const auto error = from.get_array().get(inner)) return json::JsonError(error);
    if constexpr (Sink::kTakesRows) {
      if (numbers) return ReadRow(inner, depth);
    }
    return ReadArray(inner, depth);
  }

  // The token of an array ends where the next one starts.
  static bool StartsWithNumber(value& from) {
    const std::string_view bracket = from.raw_json_token();
    return BeginsNumber(bracket.data()[bracket.size()]);
  }

  static bool IsNumber(value& from) { return BeginsNumber(from.raw_json_token().front()); }

  static bool BeginsNumber(char c) { return c == '-' || (c >= '0' && c <= '9'); }

  // An array of numbers, without a look at each of simdjson's tokens.
  Status ReadRow(simdjson::ondemand::array array, std::size_t depth) {
    MLOS_TRY(shape_.Open(depth));
    MLOS_TRY(shape_.Element(depth + 1));
    std::string_view text;
    if (const auto error = array.raw_json().get(text)) return json::JsonError(error);
    const std::optional<std::int64_t> count = sink_->TakeRow(text);
    if (count) return shape_.Close(depth, *count);
    // Not all of them are plain: once more, in the way that tells what is wrong.
    if (const auto error = array.reset().error()) return json::JsonError(error);
    return ReadArray(array, depth);
  }

  Sink* sink_;
  ShapeTracker shape_;
};

}  // namespace mlos::api::http::tensors
