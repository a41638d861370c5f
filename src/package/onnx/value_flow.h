// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "package/onnx/work.h"

namespace mlos::package::onnx {

/// Follows the values of a model's inputs through its operators, to find the inputs that may change
/// while they are read: whatever somebody writes to them meanwhile makes wrong numbers, and nothing
/// else. An index that changes between its check and its use leads out of a tensor, and so do
/// numbers that change while they are sorted.
///
/// An input is read until something is computed of it into other memory, such as a product or a
/// mean: Identity and Reshape hand on the input itself, and an engine may leave out an Add of
/// zeros, so what they give is followed too. Whoever reads the input must be known to read numbers
/// only. Thread-compatible.
class ValueFlow {
 public:
  void AddNode(const NodeNames& node);
  /// Which of these inputs of the graph may change, in their order.
  std::vector<bool> MayChange(const std::vector<std::string>& inputs) const;

 private:
  using Id = std::uint32_t;
  /// The inputs that are followed, as bits.
  using Followed = std::uint64_t;

  struct Node {
    /// Which inputs are numbers that decide nothing, as bits.
    std::uint32_t numbers = 0;
    bool hands_on = false;
    std::vector<Id> inputs;
    std::vector<Id> outputs;
  };

  Id IdOf(const std::string& name);
  /// Follows each bit of `values` to its end; returns those that somebody is steered by.
  Followed Steering(std::vector<Followed>& values) const;

  std::size_t bytes_ = 0;
  /// All nodes were kept, and none has a graph of its own.
  bool known_ = true;
  std::unordered_map<std::string, Id> ids_;
  std::vector<Node> nodes_;
};

}  // namespace mlos::package::onnx
