// SPDX-License-Identifier: MIT
#include <algorithm>

#include "package/onnx/tensor_proto.h"

namespace mlos::package::onnx {
namespace {

using tensor::Dim;

/// TypeProto's oneof, by field number.
ValueKind KindOf(int field_number) {
  switch (field_number) {
    case 1:
      return ValueKind::kTensor;
    case 4:
      return ValueKind::kSequence;
    case 5:
      return ValueKind::kMap;
    case 7:
      return ValueKind::kOpaque;
    case 8:
      return ValueKind::kSparseTensor;
    case 9:
      return ValueKind::kOptional;
    default:
      return ValueKind::kUnknown;
  }
}

/// TensorShapeProto.Dimension: a size, a symbol or nothing. Exporters also write -1 for "any".
Result<Dim> ReadDim(WireReader& wire, Field field) {
  Dim dim;
  MLOS_TRY(wire.Nested(field, [&](Field inner) -> Status {
    if (inner.number == 1) {
      const auto size = static_cast<std::int64_t>(MLOS_TRY(wire.Varint(inner)));
      dim = {.size = std::max(size, tensor::kDynamicSize), .symbol = ""};
    } else if (inner.number == 2) {
      dim = {.size = tensor::kDynamicSize, .symbol = MLOS_TRY(wire.Text(inner, kNameBytesMax))};
    } else {
      return wire.Skip(inner);
    }
    return OkStatus();
  }));
  return dim;
}

Status ReadShape(WireReader& wire, Field field, tensor::TensorSpec& spec) {
  spec.has_shape = true;
  return wire.Nested(field, [&](Field inner) -> Status {
    if (inner.number != 1) return wire.Skip(inner);
    if (spec.dims.size() == tensor::kRankMax) return wire.Error("a value has too many dimensions");
    spec.dims.push_back(MLOS_TRY(ReadDim(wire, inner)));
    return OkStatus();
  });
}

/// TypeProto.Tensor and TypeProto.SparseTensor.
Status ReadTensorType(WireReader& wire, Field field, tensor::TensorSpec& spec) {
  SeenFields seen = 0;
  return wire.Nested(field, [&](Field inner) -> Status {
    if (inner.number == 1) {
      spec.dtype = static_cast<tensor::DType>(MLOS_TRY(wire.Varint(inner)));
      return OkStatus();
    }
    if (inner.number != 2) return wire.Skip(inner);
    MLOS_TRY(wire.Once(inner, seen));
    return ReadShape(wire, inner, spec);
  });
}

Status ReadType(WireReader& wire, Field field, Value& value) {
  return wire.Nested(field, [&](Field inner) -> Status {
    const ValueKind kind = KindOf(inner.number);
    if (kind == ValueKind::kUnknown) return wire.Skip(inner);
    if (value.kind != ValueKind::kUnknown) return wire.Error("a value has two types");
    value.kind = kind;
    const bool is_tensor = kind == ValueKind::kTensor || kind == ValueKind::kSparseTensor;
    return is_tensor ? ReadTensorType(wire, inner, value.spec) : wire.Skip(inner);
  });
}

}  // namespace

Result<Value> ReadValue(WireReader& wire, Field field) {
  Value value;
  value.spec.has_shape = false;
  SeenFields seen = 0;
  MLOS_TRY(wire.Nested(field, [&](Field inner) -> Status {
    if (inner.number == 1) {
      value.spec.name = MLOS_TRY(wire.Text(inner, kNameBytesMax));
      return OkStatus();
    }
    if (inner.number != 2) return wire.Skip(inner);
    MLOS_TRY(wire.Once(inner, seen));
    return ReadType(wire, inner, value);
  }));
  return value;
}

std::string_view ToString(ValueKind kind) {
  switch (kind) {
    case ValueKind::kTensor:
      return "tensor";
    case ValueKind::kSparseTensor:
      return "sparse tensor";
    case ValueKind::kSequence:
      return "sequence";
    case ValueKind::kMap:
      return "map";
    case ValueKind::kOptional:
      return "optional";
    case ValueKind::kOpaque:
      return "opaque";
    case ValueKind::kUnknown:
      break;
  }
  return "unknown";
}

}  // namespace mlos::package::onnx
