// SPDX-License-Identifier: MIT
#pragma once

// Serialized ONNX messages, made by hand: what no exporter writes can be written too.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mlos::package::onnx::test {

/// A protobuf message under construction.
class Proto {
 public:
  Proto& Varint(int field, std::uint64_t value) { return Tag(field, 0).Raw(value); }
  Proto& Bytes(int field, std::string_view bytes) {
    Tag(field, 2).Raw(bytes.size());
    bytes_.append(bytes);
    return *this;
  }
  Proto& Message(int field, const Proto& message) { return Bytes(field, message.bytes_); }
  Proto& Fixed32(int field, std::string_view four_bytes) {
    Tag(field, 5);
    bytes_.append(four_bytes);
    return *this;
  }
  Proto& Tag(int field, int wire_type) {
    return Raw(static_cast<std::uint64_t>(field) << 3 | static_cast<std::uint64_t>(wire_type));
  }
  Proto& Raw(std::uint64_t varint) {
    for (; varint >= 0x80; varint >>= 7) bytes_.push_back(static_cast<char>(varint | 0x80));
    bytes_.push_back(static_cast<char>(varint));
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

inline constexpr int kFloat32 = 1;
inline constexpr int kInt64 = 7;

struct NamedDim {
  std::int64_t size = -1;
  std::string symbol;
};

/// A ValueInfoProto of a tensor.
inline Proto TensorValue(std::string_view name, int dtype, const std::vector<NamedDim>& dims) {
  Proto shape;
  for (const NamedDim& dim : dims) {
    Proto proto;
    if (!dim.symbol.empty()) {
      proto.Bytes(2, dim.symbol);
    } else if (dim.size >= 0) {
      proto.Varint(1, static_cast<std::uint64_t>(dim.size));
    }
    shape.Message(1, proto);
  }
  const Proto tensor = Proto().Varint(1, static_cast<std::uint64_t>(dtype)).Message(2, shape);
  return Proto().Bytes(1, name).Message(2, Proto().Message(1, tensor));
}

/// A TensorProto with raw data.
inline Proto RawTensor(std::string_view name, int dtype, const std::vector<std::uint64_t>& dims,
                       std::string_view raw) {
  Proto tensor;
  for (const std::uint64_t dim : dims) tensor.Varint(1, dim);
  return tensor.Varint(2, static_cast<std::uint64_t>(dtype)).Bytes(8, name).Bytes(9, raw);
}

struct Entry {
  std::string key;
  std::string value;
};

/// A float32 TensorProto whose data is elsewhere.
inline Proto ExternalTensor(std::string_view name, std::uint64_t elements,
                            const std::vector<Entry>& entries) {
  Proto tensor;
  tensor.Varint(1, elements).Varint(2, kFloat32).Bytes(8, name);
  for (const Entry& entry : entries) {
    tensor.Message(13, Proto().Bytes(1, entry.key).Bytes(2, entry.value));
  }
  return tensor.Varint(14, 1);
}

/// A ModelProto around a GraphProto.
inline Proto ModelOf(const Proto& graph) {
  return Proto().Varint(1, 8).Message(8, Proto().Varint(2, 17)).Message(7, graph);
}

/// y = x: float32 [batch,3] in and out.
inline Proto IdentityGraph() {
  return Proto()
      .Message(1, Proto().Bytes(1, "x").Bytes(2, "y").Bytes(4, "Identity"))
      .Bytes(2, "g")
      .Message(11, TensorValue("x", kFloat32, {{-1, "batch"}, {3, ""}}))
      .Message(12, TensorValue("y", kFloat32, {{-1, "batch"}, {3, ""}}));
}

}  // namespace mlos::package::onnx::test
