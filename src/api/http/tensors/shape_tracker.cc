// SPDX-License-Identifier: MIT
#include "api/http/tensors/shape_tracker.h"

#include <string>

#include "json/json_error.h"

namespace mlos::api::http::tensors {
namespace {

Status Ragged(const std::string& what) {
  return {Reason::kShapeMismatch, "the nested arrays are ragged: " + what};
}

}  // namespace

Status ShapeTracker::Open(std::size_t depth) {
  if (outer_depth_ + depth >= json::kDepthMax) return json::JsonError(simdjson::DEPTH_ERROR);
  if (depth >= element_depth_) return Ragged("an array stands where others have a value");
  if (depth == sizes_.size()) sizes_.push_back(-1);
  return OkStatus();
}

Status ShapeTracker::Close(std::size_t depth, std::int64_t count) {
  std::int64_t& size = sizes_[depth];
  if (size < 0) size = count;
  if (size == count) return OkStatus();
  return Ragged("an array has " + std::to_string(count) + " items where others have " +
                std::to_string(size));
}

Status ShapeTracker::Element(std::size_t depth) {
  if (element_depth_ == kUnknown && depth == sizes_.size()) element_depth_ = depth;
  if (element_depth_ == depth) return OkStatus();
  return Ragged("a value stands where others have an array");
}

}  // namespace mlos::api::http::tensors
