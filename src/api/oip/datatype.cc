// SPDX-License-Identifier: MIT
#include "api/oip/datatype.h"

#include <utility>

namespace mlos::api::oip {
namespace {

using tensor::DType;

constexpr std::pair<DType, std::string_view> kNames[] = {
    {DType::kFloat32, "FP32"},  {DType::kInt64, "INT64"},   {DType::kInt32, "INT32"},
    {DType::kString, "BYTES"},  {DType::kBool, "BOOL"},     {DType::kFloat16, "FP16"},
    {DType::kBfloat16, "BF16"}, {DType::kFloat64, "FP64"},  {DType::kUint8, "UINT8"},
    {DType::kUint16, "UINT16"}, {DType::kUint32, "UINT32"}, {DType::kUint64, "UINT64"},
    {DType::kInt8, "INT8"},     {DType::kInt16, "INT16"},
};

}  // namespace

std::string_view DatatypeName(DType dtype) {
  for (const auto& [known, name] : kNames) {
    if (known == dtype) return name;
  }
  return "";
}

std::optional<DType> ParseDatatype(std::string_view name) {
  for (const auto& [dtype, known] : kNames) {
    if (known == name) return dtype;
  }
  return std::nullopt;
}

}  // namespace mlos::api::oip
