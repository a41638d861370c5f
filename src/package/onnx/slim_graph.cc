// SPDX-License-Identifier: MIT
#include "package/onnx/slim_graph.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <cstdint>

#include "package/onnx/fields.h"

namespace mlos::package::onnx {
namespace {

using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CodedOutputStream;
using google::protobuf::io::StringOutputStream;

constexpr std::uint32_t kLengthDelimitedTag = 2;

/// A message under construction.
class MessageWriter {
 public:
  void Number(int field, std::uint64_t value) {
    StringOutputStream stream(&bytes_);
    CodedOutputStream out(&stream);
    out.WriteTag(static_cast<std::uint32_t>(field) << 3);
    out.WriteVarint64(value);
  }
  void Bytes(int field, std::string_view value) {
    {
      StringOutputStream stream(&bytes_);
      CodedOutputStream out(&stream);
      out.WriteTag(static_cast<std::uint32_t>(field) << 3 | kLengthDelimitedTag);
      out.WriteVarint64(value.size());
    }
    bytes_.append(value);
  }
  /// Whole fields.
  void Fields(std::string_view fields) { bytes_.append(fields); }

  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

void AddEntry(MessageWriter& tensor, std::string_view key, std::string_view value) {
  MessageWriter entry;
  entry.Bytes(entry_field::kKey, key);
  entry.Bytes(entry_field::kValue, value);
  tensor.Bytes(tensor_field::kExternalData, entry.bytes());
}

/// The TensorProto of `weight`.
std::string Reference(const Weight& weight, std::string_view file_name) {
  MessageWriter tensor;
  for (const std::int64_t dim : weight.dims) {
    tensor.Number(tensor_field::kDims, static_cast<std::uint64_t>(dim));
  }
  tensor.Number(tensor_field::kDataType, static_cast<std::uint64_t>(weight.data_type));
  tensor.Bytes(tensor_field::kName, weight.name);
  AddEntry(tensor, "location", file_name);
  AddEntry(tensor, "offset", std::to_string(weight.data.offset_bytes));
  AddEntry(tensor, "length", std::to_string(weight.data.size_bytes));
  tensor.Number(tensor_field::kDataLocation, tensor_field::kExternal);
  return tensor.bytes();
}

/// The message that a field holds.
std::string_view ContentOf(std::string_view field) {
  CodedInputStream in(reinterpret_cast<const std::uint8_t*>(field.data()),
                      static_cast<int>(field.size()));
  std::uint64_t length = 0;
  in.ReadTag();
  in.ReadVarint64(&length);
  return field.substr(static_cast<std::size_t>(in.CurrentPosition()));
}

}  // namespace

std::string WithoutWeights(const Model& model, std::string_view file, std::string_view name) {
  const auto [offset, size] = model.graph_field;
  const std::string_view content = ContentOf(file.substr(offset, size));
  const auto end = static_cast<std::size_t>(offset + size);
  std::size_t at = end - content.size();
  MessageWriter graph;
  for (const Weight& weight : model.weights) {
    if (!weight.location.empty()) continue;
    graph.Fields(file.substr(at, weight.field.offset_bytes - at));
    graph.Bytes(graph_field::kInitializer, Reference(weight, name));
    at = weight.field.offset_bytes + weight.field.size_bytes;
  }
  graph.Fields(file.substr(at, end - at));
  MessageWriter slim;
  slim.Fields(file.substr(0, offset));
  slim.Bytes(model_field::kGraph, graph.bytes());
  slim.Fields(file.substr(end));
  return slim.bytes();
}

}  // namespace mlos::package::onnx
