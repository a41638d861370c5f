// SPDX-License-Identifier: MIT
#pragma once

// Reads an ONNX file before any engine sees it: its schema, and every file it refers to. Field
// numbers are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "tensor/tensor_spec.h"

namespace mlos::package::onnx {

/// The nesting that protobuf's own parsers accept, ONNX Runtime's among them.
inline constexpr int kMessageDepthMax = 100;

enum class ValueKind : std::uint8_t {
  kUnknown,  // the graph does not say; only an engine can infer it
  kTensor,
  kSparseTensor,
  kSequence,
  kMap,
  kOptional,
  kOpaque,
};

/// "tensor", "sequence", …
std::string_view ToString(ValueKind kind);

/// An input or output of the graph. `spec` beyond its name means something for tensors and sparse
/// tensors only; a dtype outside tensor::DType keeps its ONNX number.
struct Value {
  ValueKind kind = ValueKind::kUnknown;
  tensor::TensorSpec spec;
  bool operator==(const Value&) const = default;
};

struct OpsetImport {
  std::string domain;
  std::int64_t version = 0;
  bool operator==(const OpsetImport&) const = default;
};

/// A tensor whose bytes lie in another file.
struct ExternalData {
  std::string tensor;
  /// Relative to the folder of the graph file; safe in the sense of IsSafeRelativePath.
  std::string location;
  std::uint64_t offset_bytes = 0;
  /// Absent: up to the end of the file.
  std::optional<std::uint64_t> length_bytes;
  /// What dtype and dims need; absent for a dtype of unknown size.
  std::optional<std::uint64_t> tensor_bytes;
  /// As written; a SHA-1 by convention. Not checked: manifests digest the whole file.
  std::string checksum;
};

/// Where something lies in a file.
struct Extent {
  std::uint64_t offset_bytes = 0;
  std::uint64_t size_bytes = 0;
};

/// An initializer of the main graph, of at least 4 KiB, that an engine takes as it is: see
/// WeightUses.
struct Weight {
  std::string name;
  /// As in TensorProto.
  std::int64_t data_type = 0;
  std::vector<std::int64_t> dims;
  /// Where its bytes lie: as in ExternalData, or empty for the graph's own file.
  std::string location;
  Extent data;
  /// The field that declares it, in the graph's file.
  Extent field;
};

/// The facts of a ModelProto. Plain data.
struct Model {
  std::int64_t ir_version = 0;
  std::vector<OpsetImport> opset_imports;
  /// Imported domains that neither ONNX nor ONNX Runtime nor the model's own functions define.
  std::vector<std::string> custom_domains;
  /// An operator of any graph or function of the file whose scale is that of its whole input, such
  /// as DynamicQuantizeLinear: the items of a batch influence each other. Empty without one.
  std::string whole_batch_operator;
  /// No value decides how much is computed, in any graph or function of the file.
  bool time_given_by_shapes = false;
  /// Whatever is written to these while the model runs makes wrong numbers and nothing else; see
  /// ValueFlow.
  std::set<std::string, std::less<>> inputs_that_may_change;
  std::string producer_name;
  std::string producer_version;
  /// Without those that an initializer gives a value.
  std::vector<Value> inputs;
  std::vector<Value> outputs;
  /// Every reference anywhere in the file: graphs, subgraphs, functions, attributes, sparse values.
  std::vector<ExternalData> external_data;
  /// In the order of the file.
  std::vector<Weight> weights;
  /// The field that holds the main graph.
  Extent graph_field;
  /// Bytes that all tensors of the file declare, external ones included.
  std::uint64_t tensor_bytes = 0;

  /// The distinct `location`s, sorted.
  std::vector<std::string> ExternalFiles() const;
};

/// Walks a serialized ModelProto and checks everything that can be checked without other files:
/// wire format, nesting, counts, names, dims, and the form of external references. Weights are
/// skipped, not read. INVALID_MODEL names the fault.
Result<Model> ParseModel(std::string_view bytes);

/// ParseModel of a regular file of at most 2 GiB, which is as far as protobuf goes.
Result<Model> ReadModel(const std::filesystem::path& path);

/// Every external reference of `model` lies in a regular file below `graph_directory`, reached
/// without a symbolic link or as `open` has it, and within that file's size. INVALID_MODEL
/// otherwise.
Status CheckExternalData(const Model& model, const std::filesystem::path& graph_directory,
                         const FileOpener& open = &OpenBeneath);

/// ReadModel + CheckExternalData of `graph`, a path relative to `directory`; both open files as
/// `open` has it.
Result<Model> CheckModel(const std::filesystem::path& directory, std::string_view graph,
                         const FileOpener& open = &OpenBeneath);

}  // namespace mlos::package::onnx
