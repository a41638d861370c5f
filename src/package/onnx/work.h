// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace mlos::package::onnx {

/// A domain of operators that ONNX defines, or that ONNX Runtime brings along.
bool IsWellKnownDomain(std::string_view domain);

/// A node of a graph, a subgraph or a function, as far as its work depends on it.
struct NodeNames {
  std::string domain;
  std::string op_type;
  /// An optional input that is left out is empty.
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
};

/// Finds out whether the time that a model takes is given by the shapes of its inputs, so that a
/// run with inputs of the same shapes takes the same time. It is not if a value decides how often
/// something is done (Loop, Scan), which branch is taken (If), or how large a result is (Range,
/// Expand, ...). A value that is computed from constants, initializers and shapes alone decides
/// nothing: it is *fixed* by the shapes too.
///
/// Only operators that are known count as such, so an operator that is new or strange makes the
/// answer no. Graphs, subgraphs and functions share one set of names here: a name that stands for
/// two values is fixed only if both are. Thread-compatible.
class WorkOfModel {
 public:
  /// A value that the file gives.
  void AddInitializer(const std::string& name);
  /// A value that the caller of the model or of a function gives.
  void AddInput(const std::string& name);
  void AddNode(const NodeNames& node);
  /// A function of the model's own: what calls it computes nothing that is fixed.
  void AddFunction(std::string domain, std::string name);

  bool TimeGivenByShapes() const;

 private:
  using Id = std::uint32_t;

  struct Node {
    std::string domain;
    std::string op_type;
    /// Which inputs decide about the amount of work, as bits.
    std::uint32_t deciding = 0;
    bool known = false;
    std::vector<Id> inputs;
    std::vector<Id> outputs;
  };

  Id IdOf(const std::string& name);
  /// Whether the outputs of `node` are fixed where `fixed` are.
  bool IsFixed(const Node& node, const std::vector<bool>& fixed) const;
  static bool WorkIsFixed(const Node& node, const std::vector<bool>& fixed);

  /// Of everything that is kept; with more, the answer is no.
  std::size_t bytes_ = 0;
  bool known_ = true;
  std::unordered_map<std::string, Id> ids_;
  /// By id: something defines it, and not a caller.
  std::vector<bool> defined_;
  std::vector<bool> given_by_caller_;
  std::vector<Node> nodes_;
  std::set<std::pair<std::string, std::string>> functions_;
};

}  // namespace mlos::package::onnx
