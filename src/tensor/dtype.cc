// SPDX-License-Identifier: MIT
#include "tensor/dtype.h"

#include <algorithm>
#include <array>

#include "tensor/string_ref.h"

namespace mlos::tensor {
namespace {

struct DTypeEntry {
  DType dtype;
  std::string_view name;
  std::size_t element_size;
};

constexpr std::array<DTypeEntry, 14> kDTypes = {{
    {DType::kFloat32, "float32", 4},
    {DType::kUint8, "uint8", 1},
    {DType::kInt8, "int8", 1},
    {DType::kUint16, "uint16", 2},
    {DType::kInt16, "int16", 2},
    {DType::kInt32, "int32", 4},
    {DType::kInt64, "int64", 8},
    {DType::kString, "string", sizeof(StringRef)},
    {DType::kBool, "bool", 1},
    {DType::kFloat16, "float16", 2},
    {DType::kFloat64, "float64", 8},
    {DType::kUint32, "uint32", 4},
    {DType::kUint64, "uint64", 8},
    {DType::kBfloat16, "bfloat16", 2},
}};

const DTypeEntry* Find(DType dtype) {
  const auto* const entry = std::find_if(kDTypes.begin(), kDTypes.end(),
                                         [&](const DTypeEntry& e) { return e.dtype == dtype; });
  return entry == kDTypes.end() ? nullptr : entry;
}

}  // namespace

std::string_view Name(DType dtype) {
  const DTypeEntry* entry = Find(dtype);
  return entry == nullptr ? "undefined" : entry->name;
}

std::optional<DType> ParseDType(std::string_view name) {
  const auto* const entry = std::find_if(kDTypes.begin(), kDTypes.end(),
                                         [&](const DTypeEntry& e) { return e.name == name; });
  if (entry == kDTypes.end()) return std::nullopt;
  return entry->dtype;
}

bool IsFloat(DType dtype) {
  switch (dtype) {
    case DType::kFloat16:
    case DType::kBfloat16:
    case DType::kFloat32:
    case DType::kFloat64:
      return true;
    default:
      return false;
  }
}

bool IsSupported(DType dtype) { return Find(dtype) != nullptr; }

std::size_t ElementSize(DType dtype) {
  const DTypeEntry* entry = Find(dtype);
  return entry == nullptr ? 0 : entry->element_size;
}

}  // namespace mlos::tensor
