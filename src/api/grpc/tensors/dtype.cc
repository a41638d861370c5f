// SPDX-License-Identifier: MIT
#include "api/grpc/tensors/dtype.h"

#include <algorithm>
#include <iterator>

namespace mlos::api::grpc::tensors {
namespace {

using tensor::DType;

struct Row {
  DType dtype;
  std::string_view name;
};

constexpr Row kRows[] = {
    {DType::kBool, "BOOL"},     {DType::kUint8, "UINT8"},   {DType::kUint16, "UINT16"},
    {DType::kUint32, "UINT32"}, {DType::kUint64, "UINT64"}, {DType::kInt8, "INT8"},
    {DType::kInt16, "INT16"},   {DType::kInt32, "INT32"},   {DType::kInt64, "INT64"},
    {DType::kFloat16, "FP16"},  {DType::kFloat32, "FP32"},  {DType::kFloat64, "FP64"},
    {DType::kBfloat16, "BF16"}, {DType::kString, "BYTES"},
};

}  // namespace

std::string_view OipName(DType dtype) {
  const Row* const row = std::find_if(std::begin(kRows), std::end(kRows),
                                      [&](const Row& r) { return r.dtype == dtype; });
  return row == std::end(kRows) ? std::string_view() : row->name;
}

std::optional<DType> ParseOipName(std::string_view name) {
  const Row* const row = std::find_if(std::begin(kRows), std::end(kRows),
                                      [&](const Row& r) { return r.name == name; });
  if (row == std::end(kRows)) return std::nullopt;
  return row->dtype;
}

}  // namespace mlos::api::grpc::tensors
