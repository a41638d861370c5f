// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <unordered_set>
#include <vector>

#include "package/onnx/model.h"
#include "package/onnx/tensor_proto.h"
#include "package/onnx/value_flow.h"
#include "package/onnx/weight_uses.h"
#include "package/onnx/wire.h"
#include "package/onnx/work.h"

namespace mlos::package::onnx {

/// Walks one ModelProto and writes down what Model holds. Used once. Thread-compatible.
class ModelWalker {
 public:
  explicit ModelWalker(WireReader& wire) : wire_(wire) {}

  Result<Model> Walk();

 private:
  /// The model's own graph is the one whose inputs and outputs count.
  enum class GraphRole : std::uint8_t { kMain, kNested };

  Status OnModelField(Field field, SeenFields& seen);
  Status OpsetImport(Field field);
  Status TrainingInfo(Field field);
  Status Function(Field field);
  Status Graph(Field field, GraphRole role);
  Status OnGraphField(Field field, GraphRole role);
  Status Node(Field field);
  Status OnNodeField(Field field, NodeNames& node);
  Status NodeValue(Field field, std::vector<std::string>& names);
  Status Attribute(Field field);
  Status OnAttributeField(Field field, SeenFields& seen);
  /// Keeps the tensor's name if it may be an input of the main graph, and its place.
  Status Initializer(Field field, GraphRole role);
  Status SparseTensor(Field field, GraphRole role);
  Result<TensorSummary> Tensor(Field field);
  Status MainValue(Field field, std::vector<Value>& values);
  Status KeepInitializerName(std::string name, GraphRole role);
  void KeepPlace(TensorSummary tensor, Field field);
  Extent ExtentOf(Field field) const;

  Status Finish();
  Status CheckNames(const std::vector<Value>& values, std::string_view what) const;
  void FindCustomDomains();
  void FindInputsThatMayChange();

  WireReader& wire_;
  Model model_;
  bool has_graph_ = false;
  std::unordered_set<std::string> initializers_;
  std::size_t initializer_bytes_ = 0;
  std::unordered_set<std::string> function_domains_;
  WorkOfModel work_;
  ValueFlow flow_;
  WeightUses weights_;
};

}  // namespace mlos::package::onnx
