// SPDX-License-Identifier: MIT
#include "package/onnx/value_flow.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "package/onnx/operator_table.h"

namespace mlos::package::onnx {
namespace {

/// A graph of 100,000 nodes takes a fifth of this.
constexpr std::size_t kFlowBytesMax = std::size_t{64} << 20;
/// Nodes stand in the order in which they run, so that the second pass already changes nothing.
constexpr int kFollowPassesMax = 8;
constexpr std::size_t kFollowedMax = 64;

constexpr std::uint32_t kAll = ~std::uint32_t{0};
constexpr std::uint32_t kFirst = 1;

/// An operator that reads numbers from the inputs whose bits are set, whatever they are.
struct Reader {
  std::string_view name;
  std::uint32_t numbers = kAll;
};

// Sorted by name. What they give may be the input itself, as it is or once an engine has found that
// the operator changes nothing.
constexpr auto kHandOn = std::to_array<Reader>({
    {"Abs"},
    {"Add"},
    {"Cast", kFirst},
    {"Ceil"},
    {"Clip"},
    {"Concat"},
    {"Cos"},
    {"DepthToSpace"},
    {"Div"},
    {"Dropout", kFirst},
    {"Elu"},
    {"Erf"},
    {"Exp"},
    {"Expand", kFirst},
    {"Flatten"},
    {"Floor"},
    {"Gelu"},
    {"HardSigmoid"},
    {"HardSwish"},
    {"Identity"},
    {"LeakyRelu"},
    {"Log"},
    {"Max"},
    {"Mean"},
    {"Min"},
    {"Mul"},
    {"Neg"},
    {"PRelu"},
    {"Pad", kFirst},
    {"Pow"},
    {"Reciprocal"},
    {"Relu"},
    {"Reshape", kFirst},
    {"Selu"},
    {"Sigmoid"},
    {"Sin"},
    {"Slice", kFirst},
    {"Softplus"},
    {"Softsign"},
    {"SpaceToDepth"},
    {"Split", kFirst},
    {"Sqrt"},
    {"Squeeze", kFirst},
    {"Sub"},
    {"Sum"},
    {"Tanh"},
    {"Tile", kFirst},
    {"Transpose"},
    {"Unsqueeze", kFirst},
});

// Sorted by name. What they give is computed into other memory, from all of their input.
constexpr auto kCompute = std::to_array<Reader>({
    {"AveragePool"},
    {"BatchNormalization"},
    {"Conv"},
    {"ConvTranspose"},
    {"Gemm"},
    {"GlobalAveragePool"},
    {"GlobalMaxPool"},
    {"InstanceNormalization"},
    {"LRN"},
    {"LayerNormalization"},
    {"LogSoftmax"},
    {"MatMul"},
    {"MaxPool"},
    {"ReduceL1", kFirst},
    {"ReduceL2", kFirst},
    {"ReduceLogSum", kFirst},
    {"ReduceLogSumExp", kFirst},
    {"ReduceMax", kFirst},
    {"ReduceMean", kFirst},
    {"ReduceMin", kFirst},
    {"ReduceProd", kFirst},
    {"ReduceSum", kFirst},
    {"ReduceSumSquare", kFirst},
    {"Shape"},
    {"Size"},
    {"Softmax"},
});

static_assert(IsSorted(kHandOn) && IsSorted(kCompute));

template <std::size_t kCount>
const Reader* Find(const std::array<Reader, kCount>& readers, const NodeNames& node) {
  return IsStandardDomain(node.domain) ? FindOperator(readers, node.op_type) : nullptr;
}

/// Names in a graph of a node's own may stand for values outside of it.
bool HasGraphs(std::string_view op_type) {
  constexpr std::string_view kKnown[] = {"If", "Loop", "Scan", "SequenceMap"};
  return std::ranges::find(kKnown, op_type) != std::end(kKnown);
}

}  // namespace

ValueFlow::Id ValueFlow::IdOf(const std::string& name) {
  const auto [found, added] = ids_.try_emplace(name, static_cast<Id>(ids_.size()));
  if (added) bytes_ += name.size() + sizeof(*found) + 2 * sizeof(void*);
  return found->second;
}

void ValueFlow::AddNode(const NodeNames& node) {
  known_ = known_ && !HasGraphs(node.op_type);
  if (!known_) return;
  const Reader* const hands_on = Find(kHandOn, node);
  const Reader* const reader = hands_on != nullptr ? hands_on : Find(kCompute, node);
  Node kept{.numbers = reader != nullptr ? reader->numbers : 0, .hands_on = hands_on != nullptr};
  for (const std::string& name : node.inputs) kept.inputs.push_back(IdOf(name));
  for (const std::string& name : node.outputs) kept.outputs.push_back(IdOf(name));
  bytes_ += sizeof kept + (kept.inputs.size() + kept.outputs.size()) * sizeof(Id);
  nodes_.push_back(std::move(kept));
  known_ = bytes_ <= kFlowBytesMax;
}

ValueFlow::Followed ValueFlow::Steering(std::vector<Followed>& values) const {
  constexpr std::size_t kBits = 32;
  Followed steering = 0;
  bool changed = true;
  for (int pass = 0; changed && pass < kFollowPassesMax; ++pass) {
    changed = false;
    for (const Node& node : nodes_) {
      Followed numbers = 0;
      for (std::size_t i = 0; i < node.inputs.size(); ++i) {
        const bool number = (node.numbers >> std::min(i, kBits - 1) & 1U) != 0;
        (number ? numbers : steering) |= values[node.inputs[i]];
      }
      if (!node.hands_on) continue;
      for (const Id output : node.outputs) {
        changed = changed || (values[output] | numbers) != values[output];
        values[output] |= numbers;
      }
    }
  }
  return changed ? ~Followed{0} : steering;
}

std::vector<bool> ValueFlow::MayChange(const std::vector<std::string>& inputs) const {
  std::vector<bool> may_change(inputs.size(), false);
  if (!known_) return may_change;
  std::vector<Followed> values(ids_.size(), 0);
  const std::size_t count = std::min(inputs.size(), kFollowedMax);
  for (std::size_t i = 0; i < count; ++i) {
    if (const auto id = ids_.find(inputs[i]); id != ids_.end()) {
      values[id->second] |= Followed{1} << i;
    }
  }
  const Followed steering = Steering(values);
  for (std::size_t i = 0; i < count; ++i) may_change[i] = (steering >> i & 1U) == 0;
  return may_change;
}

}  // namespace mlos::package::onnx
