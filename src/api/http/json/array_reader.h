// SPDX-License-Identifier: MIT
#pragma once

#include <simdjson.h>

#include <string>
#include <utility>

#include "api/http/json/element_sink.h"
#include "api/http/json/shape_tracker.h"

namespace mlos::api::http::json {

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
    Status status = ReadArray(from, 0);
    if (status.ok()) return status;
    return std::move(status).WithContext("element " + std::to_string(sink_->count()));
  }

  const tensor::Shape& shape() const { return shape_.shape(); }

 private:
  Status ReadArray(simdjson::ondemand::array array, std::size_t depth) {
    MLOS_TRY(shape_.Open(depth));
    std::int64_t count = 0;
    bool elements = shape_.HasElementsAt(depth + 1);
    for (auto item : array) {
      value from;
      if (const auto error = item.get(from)) return JsonError(error);
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
    simdjson::ondemand::json_type type;
    if (const auto error = from.type().get(type)) return JsonError(error);
    if (type == simdjson::ondemand::json_type::array) {
      simdjson::ondemand::array inner;
      if (const auto error = from.get_array().get(inner)) return JsonError(error);
      return ReadArray(inner, depth);
    }
    MLOS_TRY(shape_.Element(depth));
    if (sink_->Take(from)) return OkStatus();
    return sink_->TakeSlow(from);
  }

  Sink* sink_;
  ShapeTracker shape_;
};

}  // namespace mlos::api::http::json
