// SPDX-License-Identifier: MIT
#include "package/onnx/weight_uses.h"

#include <array>
#include <string_view>
#include <utility>

#include "package/onnx/operator_table.h"

namespace mlos::package::onnx {
namespace {

/// As for ValueFlow.
constexpr std::size_t kUsesBytesMax = std::size_t{64} << 20;
/// What is smaller is not worth a place in the list.
constexpr std::uint64_t kWeightBytesMin = 4096;

/// An operator and which of its inputs are weights, as bits.
struct WeightPlace {
  std::string_view name;
  std::uint32_t weights;
};

constexpr std::uint32_t kInput0 = 1;
constexpr std::uint32_t kInput1 = 2;
constexpr std::uint32_t kInput2 = 4;
constexpr std::uint32_t kInput3 = 8;

// Sorted by name.
constexpr auto kPlaces = std::to_array<WeightPlace>({
    {"Conv", kInput1},
    {"ConvInteger", kInput1},
    {"ConvTranspose", kInput1},
    {"GRU", kInput1 | kInput2},
    {"Gather", kInput0},
    {"Gemm", kInput1},
    {"LSTM", kInput1 | kInput2},
    {"MatMul", kInput1},
    {"MatMulInteger", kInput1},
    {"QLinearConv", kInput3},
    {"QLinearMatMul", kInput3},
    {"RNN", kInput1 | kInput2},
});
static_assert(IsSorted(kPlaces));

std::uint32_t WeightsOf(const NodeNames& node) {
  if (!IsStandardDomain(node.domain)) return 0;
  const WeightPlace* const place = FindOperator(kPlaces, node.op_type);
  return place != nullptr ? place->weights : 0;
}

}  // namespace

void WeightUses::AddNode(const NodeNames& node) {
  std::uint32_t weights = WeightsOf(node);
  for (const std::string& input : node.inputs) {
    if ((weights & kInput0) == 0) Keep(input);
    weights >>= 1;
  }
  // A name that a node of a nested graph or of a function defines stands for another value there.
  for (const std::string& output : node.outputs) Keep(output);
}

void WeightUses::AddInitializer(Weight weight) {
  if (weight.data.size_bytes < kWeightBytesMin || weight.name.empty() || !known_) return;
  bytes_ += sizeof weight + weight.name.size() + weight.location.size() +
            weight.dims.size() * sizeof weight.dims.front();
  initializers_.push_back(std::move(weight));
  if (bytes_ > kUsesBytesMax) known_ = false;
}

void WeightUses::Keep(const std::string& name) {
  if (!known_ || name.empty() || !others_.insert(name).second) return;
  bytes_ += sizeof name + name.size();
  if (bytes_ > kUsesBytesMax) known_ = false;
}

std::vector<Weight> WeightUses::Take() {
  if (!known_) return {};
  std::unordered_set<std::string_view> names;
  for (const Weight& weight : initializers_) {
    // Of two that have one name, who knows which an engine takes?
    if (!names.insert(weight.name).second) others_.insert(weight.name);
  }
  std::erase_if(initializers_,
                [this](const Weight& weight) { return others_.contains(weight.name); });
  return std::move(initializers_);
}

}  // namespace mlos::package::onnx
