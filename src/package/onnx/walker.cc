// SPDX-License-Identifier: MIT
#include "package/onnx/walker.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "package/onnx/fields.h"

namespace mlos::package::onnx {
namespace {

constexpr std::size_t kValuesMax = 65'536;
constexpr std::size_t kExternalDataMax = 200'000;
constexpr std::size_t kOpsetsMax = 1'000;
/// Of all initializers together: what is kept of a 2 GiB file that is nothing but names.
constexpr std::size_t kInitializerBytesMax = std::size_t{64} << 20;

/// Dynamic quantization, by ONNX and by ONNX Runtime.
bool ScalesByWholeInput(std::string_view op_type) {
  constexpr std::string_view kKnown[] = {"DynamicQuantizeLinear", "DynamicQuantizeMatMul",
                                         "DynamicQuantizeLSTM"};
  return std::find(std::begin(kKnown), std::end(kKnown), op_type) != std::end(kKnown);
}

}  // namespace

Result<Model> ModelWalker::Walk() {
  SeenFields seen = 0;
  MLOS_TRY(wire_.Message([&](Field field) { return OnModelField(field, seen); }));
  MLOS_TRY(Finish());
  return std::move(model_);
}

Status ModelWalker::OnModelField(Field field, SeenFields& seen) {
  switch (field.number) {
    case model_field::kIrVersion:
      model_.ir_version = static_cast<std::int64_t>(MLOS_TRY(wire_.Varint(field)));
      return OkStatus();
    case model_field::kProducerName:
      model_.producer_name = MLOS_TRY(wire_.Text(field, kNameBytesMax));
      return OkStatus();
    case model_field::kProducerVersion:
      model_.producer_version = MLOS_TRY(wire_.Text(field, kNameBytesMax));
      return OkStatus();
    case model_field::kGraph:
      MLOS_TRY(wire_.Once(field, seen));
      has_graph_ = true;
      MLOS_TRY(Graph(field, GraphRole::kMain));
      model_.graph_field = ExtentOf(field);
      return OkStatus();
    case model_field::kOpsetImport:
      return OpsetImport(field);
    case model_field::kTrainingInfo:
      return TrainingInfo(field);
    case model_field::kFunctions:
      return Function(field);
    default:
      return wire_.Skip(field);
  }
}

Status ModelWalker::OpsetImport(Field field) {
  if (model_.opset_imports.size() == kOpsetsMax) return wire_.Error("too many operator sets");
  onnx::OpsetImport import;
  MLOS_TRY(wire_.Nested(field, [&](Field inner) -> Status {
    if (inner.number == 1) {
      import.domain = MLOS_TRY(wire_.Text(inner, kNameBytesMax));
    } else if (inner.number == 2) {
      import.version = static_cast<std::int64_t>(MLOS_TRY(wire_.Varint(inner)));
    } else {
      return wire_.Skip(inner);
    }
    return OkStatus();
  }));
  model_.opset_imports.push_back(std::move(import));
  return OkStatus();
}

Status ModelWalker::TrainingInfo(Field field) {
  return wire_.Nested(field, [this](Field inner) {
    const bool is_graph = inner.number == 1 || inner.number == 2;
    return is_graph ? Graph(inner, GraphRole::kNested) : wire_.Skip(inner);
  });
}

Status ModelWalker::Function(Field field) {
  std::string name;
  std::string domain;
  MLOS_TRY(wire_.Nested(field, [&](Field inner) -> Status {
    switch (inner.number) {
      case function_field::kName:
        name = MLOS_TRY(wire_.Text(inner, kNameBytesMax));
        return OkStatus();
      case function_field::kInput:
        work_.AddInput(MLOS_TRY(wire_.Text(inner, kNameBytesMax)));
        return OkStatus();
      case function_field::kNode:
        return Node(inner);
      case function_field::kDomain:
        domain = MLOS_TRY(wire_.Text(inner, kNameBytesMax));
        return OkStatus();
      case function_field::kAttributeProto:
        return Attribute(inner);
      default:
        return wire_.Skip(inner);
    }
  }));
  work_.AddFunction(domain, std::move(name));
  if (function_domains_.size() < kOpsetsMax) function_domains_.insert(std::move(domain));
  return OkStatus();
}

Status ModelWalker::Graph(Field field, GraphRole role) {
  return wire_.Nested(field, [&](Field inner) { return OnGraphField(inner, role); });
}

Status ModelWalker::OnGraphField(Field field, GraphRole role) {
  const bool main = role == GraphRole::kMain;
  switch (field.number) {
    case graph_field::kNode:
      return Node(field);
    case graph_field::kInitializer:
      return Initializer(field, role);
    case graph_field::kSparseInitializer:
      return SparseTensor(field, role);
    case graph_field::kInput:
      return main ? MainValue(field, model_.inputs) : wire_.Skip(field);
    case graph_field::kOutput:
      return main ? MainValue(field, model_.outputs) : wire_.Skip(field);
    default:
      return wire_.Skip(field);
  }
}

Status ModelWalker::Node(Field field) {
  NodeNames node;
  MLOS_TRY(wire_.Nested(field, [&](Field inner) { return OnNodeField(inner, node); }));
  work_.AddNode(node);
  flow_.AddNode(node);
  weights_.AddNode(node);
  if (ScalesByWholeInput(node.op_type)) model_.whole_batch_operator = std::move(node.op_type);
  return OkStatus();
}

Status ModelWalker::OnNodeField(Field field, NodeNames& node) {
  switch (field.number) {
    case node_field::kInput:
      return NodeValue(field, node.inputs);
    case node_field::kOutput:
      return NodeValue(field, node.outputs);
    case node_field::kOpType:
      node.op_type = MLOS_TRY(wire_.Text(field, kNameBytesMax));
      return OkStatus();
    case node_field::kAttribute:
      return Attribute(field);
    case node_field::kDomain:
      node.domain = MLOS_TRY(wire_.Text(field, kNameBytesMax));
      return OkStatus();
    default:
      return wire_.Skip(field);
  }
}

Status ModelWalker::NodeValue(Field field, std::vector<std::string>& names) {
  if (names.size() == kValuesMax) return wire_.Error("too many inputs or outputs of a node");
  names.push_back(MLOS_TRY(wire_.Text(field, kNameBytesMax)));
  return OkStatus();
}

Status ModelWalker::Attribute(Field field) {
  SeenFields seen = 0;
  return wire_.Nested(field, [&](Field inner) { return OnAttributeField(inner, seen); });
}

Status ModelWalker::OnAttributeField(Field field, SeenFields& seen) {
  switch (field.number) {
    case attribute_field::kTensor:
      MLOS_TRY(wire_.Once(field, seen));
      [[fallthrough]];
    case attribute_field::kTensors:
      MLOS_TRY(Tensor(field));
      return OkStatus();
    case attribute_field::kGraph:
      MLOS_TRY(wire_.Once(field, seen));
      [[fallthrough]];
    case attribute_field::kGraphs:
      return Graph(field, GraphRole::kNested);
    case attribute_field::kSparseTensor:
      MLOS_TRY(wire_.Once(field, seen));
      [[fallthrough]];
    case attribute_field::kSparseTensors:
      return SparseTensor(field, GraphRole::kNested);
    default:
      return wire_.Skip(field);
  }
}

Status ModelWalker::Initializer(Field field, GraphRole role) {
  TensorSummary tensor = MLOS_TRY(Tensor(field));
  MLOS_TRY(KeepInitializerName(tensor.name, role));
  if (role == GraphRole::kMain) {
    KeepPlace(std::move(tensor), field);
  } else {
    weights_.AddOther(tensor.name);
  }
  return OkStatus();
}

/// A sparse tensor has the name of its values.
Status ModelWalker::SparseTensor(Field field, GraphRole role) {
  constexpr int kValues = 1;
  constexpr int kIndices = 2;
  SeenFields seen = 0;
  return wire_.Nested(field, [&](Field inner) -> Status {
    if (inner.number != kValues && inner.number != kIndices) return wire_.Skip(inner);
    MLOS_TRY(wire_.Once(inner, seen));
    std::string name = MLOS_TRY(Tensor(inner)).name;
    weights_.AddOther(name);
    return inner.number == kValues ? KeepInitializerName(std::move(name), role) : OkStatus();
  });
}

// Nothing of an initializer that is written in another way than it lies in memory.
void ModelWalker::KeepPlace(TensorSummary tensor, Field field) {
  if (!tensor.external && !tensor.raw_offset_bytes) return weights_.AddOther(tensor.name);
  Weight weight{.name = std::move(tensor.name),
                .data_type = tensor.data_type,
                .dims = std::move(tensor.dims),
                .data = {.size_bytes = tensor.bytes},
                .field = ExtentOf(field)};
  if (tensor.external) {
    weight.location = std::move(tensor.external->location);
    weight.data.offset_bytes = tensor.external->offset_bytes;
  } else {
    weight.data.offset_bytes = *tensor.raw_offset_bytes;
  }
  weights_.AddInitializer(std::move(weight));
}

// Of a field that has just been read.
Extent ModelWalker::ExtentOf(Field field) const {
  return {.offset_bytes = static_cast<std::uint64_t>(field.offset),
          .size_bytes = static_cast<std::uint64_t>(wire_.Position() - field.offset)};
}

Result<TensorSummary> ModelWalker::Tensor(Field field) {
  TensorSummary tensor = MLOS_TRY(ReadTensor(wire_, field));
  if (__builtin_add_overflow(model_.tensor_bytes, tensor.bytes, &model_.tensor_bytes)) {
    return wire_.Error("the tensors together overflow");
  }
  if (tensor.external) {
    if (model_.external_data.size() == kExternalDataMax) {
      return wire_.Error("more than " + std::to_string(kExternalDataMax) + " external tensors");
    }
    model_.external_data.push_back(*tensor.external);
  }
  return tensor;
}

Status ModelWalker::KeepInitializerName(std::string name, GraphRole role) {
  work_.AddInitializer(name);
  if (role != GraphRole::kMain || name.empty()) return OkStatus();
  initializer_bytes_ += name.size() + sizeof name;
  if (initializer_bytes_ > kInitializerBytesMax) return wire_.Error("too many initializers");
  initializers_.insert(std::move(name));
  return OkStatus();
}

Status ModelWalker::MainValue(Field field, std::vector<Value>& values) {
  if (values.size() == kValuesMax) return wire_.Error("too many inputs or outputs");
  values.push_back(MLOS_TRY(ReadValue(wire_, field)));
  return OkStatus();
}

Status ModelWalker::Finish() {
  if (!has_graph_ || model_.ir_version < 1) return wire_.Error("it has no graph or no version");
  for (const auto* values : {&model_.inputs, &model_.outputs}) {
    for (const Value& value : *values) weights_.AddOther(value.spec.name);
  }
  std::erase_if(model_.inputs,
                [this](const Value& input) { return initializers_.contains(input.spec.name); });
  MLOS_TRY(CheckNames(model_.inputs, "input"));
  MLOS_TRY(CheckNames(model_.outputs, "output"));
  FindCustomDomains();
  for (const Value& input : model_.inputs) work_.AddInput(input.spec.name);
  model_.time_given_by_shapes = work_.TimeGivenByShapes();
  FindInputsThatMayChange();
  model_.weights = weights_.Take();
  return OkStatus();
}

// Of floats only: what divides whole numbers, or counts with them, depends on their values.
void ModelWalker::FindInputsThatMayChange() {
  std::vector<std::string> names;
  for (const Value& input : model_.inputs) {
    if (tensor::IsFloat(input.spec.dtype)) names.push_back(input.spec.name);
  }
  const std::vector<bool> may_change = flow_.MayChange(names);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (may_change[i]) model_.inputs_that_may_change.insert(std::move(names[i]));
  }
}

Status ModelWalker::CheckNames(const std::vector<Value>& values, std::string_view what) const {
  std::unordered_set<std::string_view> names;
  for (const Value& value : values) {
    if (value.spec.name.empty()) return wire_.Error("an " + std::string(what) + " has no name");
    if (names.insert(value.spec.name).second) continue;
    return wire_.Error("the " + std::string(what) + " '" + Excerpt(value.spec.name) +
                       "' is there twice");
  }
  return OkStatus();
}

void ModelWalker::FindCustomDomains() {
  for (const onnx::OpsetImport& import : model_.opset_imports) {
    if (IsWellKnownDomain(import.domain) || function_domains_.contains(import.domain)) continue;
    model_.custom_domains.push_back(import.domain);
  }
}

}  // namespace mlos::package::onnx
