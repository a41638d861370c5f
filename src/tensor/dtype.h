// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace mlos::tensor {

/// The element types of tensors. Values are those of ONNX's TensorProto.DataType
/// (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto), which SMI uses as well.
enum class DType : std::int32_t {
  kUndefined = 0,
  kFloat32 = 1,
  kUint8 = 2,
  kInt8 = 3,
  kUint16 = 4,
  kInt16 = 5,
  kInt32 = 6,
  kInt64 = 7,
  kString = 8,
  kBool = 9,
  kFloat16 = 10,
  kFloat64 = 11,
  kUint32 = 12,
  kUint64 = 13,
  kBfloat16 = 16,
};

/// numpy's name of a dtype ("float32"); "undefined" for anything that is not a DType above.
std::string_view Name(DType dtype);

/// The dtype with numpy's name `name`.
std::optional<DType> ParseDType(std::string_view name);

bool IsFloat(DType dtype);

/// True for the enumerators above except kUndefined, whatever integer was cast.
bool IsSupported(DType dtype);

/// Bytes an element takes; for kString the size of a StringRef, 0 for kUndefined.
std::size_t ElementSize(DType dtype);

}  // namespace mlos::tensor
