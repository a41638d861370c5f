// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <unordered_set>
#include <vector>

#include "package/onnx/model.h"
#include "package/onnx/work.h"

namespace mlos::package::onnx {

/// Finds the initializers that keep their shape and values under their name, whatever an engine
/// makes of the graph. ONNX Runtime's transpose optimizer, for one, transposes the constant of an
/// Add and leaves it its name; the matrix of a MatMul it leaves alone. So a weight is an
/// initializer of the main graph that is only used where matrices, kernels and tables stand.
/// Thread-compatible.
class WeightUses {
 public:
  void AddNode(const NodeNames& node);
  /// A value that the main graph takes or gives, or an initializer of another graph.
  void AddOther(const std::string& name) { Keep(name); }
  /// An initializer of the main graph.
  void AddInitializer(Weight weight);

  /// Those that are weights, in their order; none of a file that has too much of everything.
  std::vector<Weight> Take();

 private:
  void Keep(const std::string& name);

  /// Of everything that is kept.
  std::size_t bytes_ = 0;
  bool known_ = true;
  std::vector<Weight> initializers_;
  /// Values that are used in another way.
  std::unordered_set<std::string> others_;
};

}  // namespace mlos::package::onnx
