// SPDX-License-Identifier: MIT
#include "package/onnx/work.h"

#include <algorithm>
#include <array>

#include "package/onnx/operator_table.h"

namespace mlos::package::onnx {
namespace {

/// A graph of 100,000 nodes takes a fifth of this.
constexpr std::size_t kBytesMax = std::size_t{64} << 20;
/// Nodes stand in the order in which they run, so that the second pass already changes nothing.
constexpr int kPassesMax = 8;

/// An operator whose work is given by the shapes of its inputs and by the values of those inputs
/// whose bits are set in `deciding`.
struct Operator {
  std::string_view name;
  std::uint32_t deciding = 0;
};

constexpr std::uint32_t Inputs(std::initializer_list<int> numbers) {
  std::uint32_t bits = 0;
  for (const int number : numbers) bits |= std::uint32_t{1} << number;
  return bits;
}

// Sorted by name. Missing on purpose: Loop, Scan and the sequences; NonZero, Compress, Unique and
// NonMaxSuppression, whose results have a size that only the values tell; RoiAlign and MaxRoiPool,
// which look at as many points as a region is large; strings, whose length is in no shape.
constexpr auto kStandard = std::to_array<Operator>({
    {"Abs"},
    {"Acos"},
    {"Acosh"},
    {"Add"},
    {"AffineGrid", Inputs({1})},
    {"And"},
    {"ArgMax"},
    {"ArgMin"},
    {"Asin"},
    {"Asinh"},
    {"Atan"},
    {"Atanh"},
    {"AveragePool"},
    {"BatchNormalization"},
    {"Bernoulli"},
    {"BitShift"},
    {"BitwiseAnd"},
    {"BitwiseNot"},
    {"BitwiseOr"},
    {"BitwiseXor"},
    {"BlackmanWindow", Inputs({0})},
    {"Cast"},
    {"CastLike"},
    {"Ceil"},
    {"Celu"},
    {"CenterCropPad", Inputs({1})},
    {"Clip"},
    {"Col2Im", Inputs({1, 2})},
    {"Concat"},
    {"Constant"},
    {"ConstantOfShape", Inputs({0})},
    {"Conv"},
    {"ConvInteger"},
    {"ConvTranspose"},
    {"Cos"},
    {"Cosh"},
    {"CumSum"},
    {"DFT", Inputs({1, 2})},
    {"DepthToSpace"},
    {"DequantizeLinear"},
    {"Det"},
    {"Div"},
    {"Dropout"},
    {"DynamicQuantizeLinear"},
    {"Einsum"},
    {"Elu"},
    {"Equal"},
    {"Erf"},
    {"Exp"},
    {"Expand", Inputs({1})},
    {"EyeLike"},
    {"Flatten"},
    {"Floor"},
    {"GRU", Inputs({4})},
    {"Gather"},
    {"GatherElements"},
    {"GatherND"},
    {"Gelu"},
    {"Gemm"},
    {"GlobalAveragePool"},
    {"GlobalLpPool"},
    {"GlobalMaxPool"},
    {"Greater"},
    {"GreaterOrEqual"},
    {"GridSample"},
    {"GroupNormalization"},
    {"HammingWindow", Inputs({0})},
    {"HannWindow", Inputs({0})},
    {"HardSigmoid"},
    {"HardSwish"},
    {"Hardmax"},
    {"Identity"},
    {"If", Inputs({0})},
    {"InstanceNormalization"},
    {"IsInf"},
    {"IsNaN"},
    {"LRN"},
    {"LSTM", Inputs({4})},
    {"LayerNormalization"},
    {"LeakyRelu"},
    {"Less"},
    {"LessOrEqual"},
    {"Log"},
    {"LogSoftmax"},
    {"LpNormalization"},
    {"LpPool"},
    {"MatMul"},
    {"MatMulInteger"},
    {"Max"},
    {"MaxPool"},
    {"MaxUnpool", Inputs({2})},
    {"Mean"},
    {"MeanVarianceNormalization"},
    {"MelWeightMatrix", Inputs({0, 1, 2, 3, 4})},
    {"Min"},
    {"Mish"},
    {"Mod"},
    {"Mul"},
    {"Multinomial"},
    {"Neg"},
    {"NegativeLogLikelihoodLoss"},
    {"Not"},
    {"OneHot", Inputs({1})},
    {"Or"},
    {"PRelu"},
    {"Pad", Inputs({1, 3})},
    {"Pow"},
    {"QLinearConv"},
    {"QLinearMatMul"},
    {"QuantizeLinear"},
    {"RNN", Inputs({4})},
    {"RandomNormal"},
    {"RandomNormalLike"},
    {"RandomUniform"},
    {"RandomUniformLike"},
    {"Range", Inputs({0, 1, 2})},
    {"Reciprocal"},
    {"ReduceL1", Inputs({1})},
    {"ReduceL2", Inputs({1})},
    {"ReduceLogSum", Inputs({1})},
    {"ReduceLogSumExp", Inputs({1})},
    {"ReduceMax", Inputs({1})},
    {"ReduceMean", Inputs({1})},
    {"ReduceMin", Inputs({1})},
    {"ReduceProd", Inputs({1})},
    {"ReduceSum", Inputs({1})},
    {"ReduceSumSquare", Inputs({1})},
    {"Relu"},
    // Its result has as many elements as its input. But which dims they have decides what a
    // broadcast behind it makes of them.
    {"Reshape", Inputs({1})},
    {"Resize", Inputs({1, 2, 3})},
    {"ReverseSequence"},
    {"Round"},
    {"STFT", Inputs({1, 3})},
    {"Scatter"},
    {"ScatterElements"},
    {"ScatterND"},
    {"Selu"},
    {"Shape"},
    {"Shrink"},
    {"Sigmoid"},
    {"Sign"},
    {"SimplifiedLayerNormalization"},
    {"Sin"},
    {"Sinh"},
    {"Size"},
    {"Slice", Inputs({1, 2, 3, 4})},
    {"Softmax"},
    {"SoftmaxCrossEntropyLoss"},
    {"Softplus"},
    {"Softsign"},
    {"SpaceToDepth"},
    {"Split", Inputs({1})},
    {"Sqrt"},
    {"Squeeze", Inputs({1})},
    {"Sub"},
    {"Sum"},
    {"Tan"},
    {"Tanh"},
    {"ThresholdedRelu"},
    {"Tile", Inputs({1, 2})},
    {"TopK", Inputs({1})},
    {"Transpose"},
    {"Trilu"},
    {"Unsqueeze", Inputs({1})},
    {"Upsample", Inputs({1})},
    {"Where"},
    {"Xor"},
});

constexpr auto kClassic = std::to_array<Operator>({
    {"ArrayFeatureExtractor"},
    {"Binarizer"},
    {"FeatureVectorizer"},
    {"Imputer"},
    {"LabelEncoder"},
    {"LinearClassifier"},
    {"LinearRegressor"},
    {"Normalizer"},
    {"OneHotEncoder"},
    {"SVMClassifier"},
    {"SVMRegressor"},
    {"Scaler"},
    {"TreeEnsemble"},
    {"TreeEnsembleClassifier"},
    {"TreeEnsembleRegressor"},
});

// What exporters and ONNX Runtime's optimizer write. Not GroupQueryAttention, which does as much as
// its input of sequence lengths says.
constexpr auto kOnnxRuntime = std::to_array<Operator>({
    {"Attention"},
    {"BiasGelu"},
    {"BiasSoftmax"},
    {"DequantizeLinear"},
    {"DynamicQuantizeLSTM", Inputs({4})},
    {"DynamicQuantizeMatMul"},
    {"EmbedLayerNormalization"},
    {"FastGelu"},
    {"FusedConv"},
    {"FusedGemm"},
    {"FusedMatMul"},
    {"Gelu"},
    {"MatMulIntegerToFloat"},
    {"MatMulNBits"},
    {"MultiHeadAttention"},
    {"NhwcMaxPool"},
    {"QAttention"},
    {"QEmbedLayerNormalization"},
    {"QGemm"},
    {"QLinearAdd"},
    {"QLinearAveragePool"},
    {"QLinearConcat"},
    {"QLinearGlobalAveragePool"},
    {"QLinearLeakyRelu"},
    {"QLinearMul"},
    {"QLinearSigmoid"},
    {"QLinearSoftmax"},
    {"QLinearWhere"},
    {"QuantizeLinear"},
    {"QuickGelu"},
    {"RotaryEmbedding"},
    {"SkipLayerNormalization"},
    {"SkipSimplifiedLayerNormalization"},
});

static_assert(IsSorted(kStandard) && IsSorted(kClassic) && IsSorted(kOnnxRuntime));

const Operator* OperatorOf(const NodeNames& node) {
  if (IsStandardDomain(node.domain)) return FindOperator(kStandard, node.op_type);
  if (node.domain == "ai.onnx.ml") return FindOperator(kClassic, node.op_type);
  if (node.domain == "com.microsoft") return FindOperator(kOnnxRuntime, node.op_type);
  return nullptr;
}

/// An operator whose result is another one each time, or that of one of two branches.
bool IsUncertain(std::string_view op_type) {
  return op_type.starts_with("Random") || op_type == "Bernoulli" || op_type == "Multinomial" ||
         op_type == "Dropout" || op_type == "If";
}

}  // namespace

bool IsWellKnownDomain(std::string_view domain) {
  constexpr std::string_view kKnown[] = {"",
                                         "ai.onnx",
                                         "ai.onnx.ml",
                                         "ai.onnx.training",
                                         "ai.onnx.preview",
                                         "ai.onnx.preview.training",
                                         "com.microsoft",
                                         "com.microsoft.nchwc",
                                         "com.microsoft.experimental",
                                         "com.ms.internal.nhwc",
                                         "org.pytorch.aten"};
  return std::find(std::begin(kKnown), std::end(kKnown), domain) != std::end(kKnown);
}

WorkOfModel::Id WorkOfModel::IdOf(const std::string& name) {
  const auto [found, added] = ids_.try_emplace(name, static_cast<Id>(defined_.size()));
  if (added) {
    bytes_ += name.size() + sizeof(*found) + 2 * sizeof(void*);
    defined_.push_back(false);
    given_by_caller_.push_back(false);
  }
  return found->second;
}

void WorkOfModel::AddInitializer(const std::string& name) {
  if (known_ && !name.empty()) defined_[IdOf(name)] = true;
}

void WorkOfModel::AddInput(const std::string& name) {
  if (known_) given_by_caller_[IdOf(name)] = true;
}

void WorkOfModel::AddFunction(std::string domain, std::string name) {
  // Whether an engine takes this or its own operator of the name is nothing to rely upon.
  known_ = known_ && !IsWellKnownDomain(domain);
  if (!known_) return;
  bytes_ += domain.size() + name.size() + sizeof(decltype(functions_)::value_type);
  known_ = bytes_ <= kBytesMax;
  functions_.emplace(std::move(domain), std::move(name));
}

void WorkOfModel::AddNode(const NodeNames& node) {
  if (!known_) return;
  const Operator* const op = OperatorOf(node);
  Node kept{.domain = node.domain, .op_type = node.op_type, .known = op != nullptr};
  if (op != nullptr) kept.deciding = op->deciding;
  for (const std::string& name : node.inputs) kept.inputs.push_back(IdOf(name));
  for (const std::string& name : node.outputs) {
    if (name.empty()) continue;
    kept.outputs.push_back(IdOf(name));
    defined_[kept.outputs.back()] = true;
  }
  bytes_ += sizeof kept + (kept.inputs.size() + kept.outputs.size()) * sizeof(Id);
  nodes_.push_back(std::move(kept));
  known_ = bytes_ <= kBytesMax;
}

bool WorkOfModel::IsFixed(const Node& node, const std::vector<bool>& fixed) const {
  if (!node.known || functions_.contains({node.domain, node.op_type})) return false;
  if (IsUncertain(node.op_type)) return false;
  if (node.op_type == "Shape" || node.op_type == "Size") return true;
  return std::all_of(node.inputs.begin(), node.inputs.end(), [&](Id id) { return fixed[id]; });
}

bool WorkOfModel::WorkIsFixed(const Node& node, const std::vector<bool>& fixed) {
  constexpr std::size_t kBits = 32;
  for (std::size_t i = 0; i < std::min(node.inputs.size(), kBits); ++i) {
    if ((node.deciding >> i & 1u) != 0 && !fixed[node.inputs[i]]) return false;
  }
  return true;
}

bool WorkOfModel::TimeGivenByShapes() const {
  if (!known_) return false;
  // All that the file defines, less and less, until no node takes anything away.
  std::vector<bool> fixed(defined_.size());
  for (std::size_t i = 0; i < fixed.size(); ++i) fixed[i] = defined_[i] && !given_by_caller_[i];
  if (const auto omitted = ids_.find(""); omitted != ids_.end()) fixed[omitted->second] = true;
  bool changed = true;
  for (int pass = 0; changed && pass < kPassesMax; ++pass) {
    changed = false;
    for (const Node& node : nodes_) {
      if (IsFixed(node, fixed)) continue;
      for (const Id id : node.outputs) {
        changed = changed || fixed[id];
        fixed[id] = false;
      }
    }
  }
  if (changed) return false;
  return std::all_of(nodes_.begin(), nodes_.end(), [&](const Node& node) {
    const bool own = functions_.contains({node.domain, node.op_type});
    return own || (node.known && WorkIsFixed(node, fixed));
  });
}

}  // namespace mlos::package::onnx
