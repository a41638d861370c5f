// SPDX-License-Identifier: MIT
#pragma once

#include <onnxruntime_cxx_api.h>

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "mlos/smi_spec.h"

namespace mlos::onnx {

/// One input or output of a graph.
struct Spec {
  std::string name;
  smi_dtype_t dtype = SMI_DTYPE_UNDEFINED;
  bool ranked = true;
  std::vector<std::int64_t> dims;
  std::vector<std::string> symbols;
  bool optional = false;
};

/// Bytes of an element; a string's is that of smi_string_t. 0 for what SMI does not have.
std::size_t ElementSize(smi_dtype_t dtype);

/// What a graph declares, and the same as SMI shows it. Immutable.
class Signature {
 public:
  /// Throws Error (UNSUPPORTED) that names an input or output which is no tensor, or one of
  /// elements that SMI does not have. Outputs that are sequences of maps, with which graphs of
  /// scikit-learn end, are left out if there are others. `unranked`: see ModelFile.
  Signature(Ort::Session& session, const std::set<std::string, std::less<>>& unranked);
  Signature(const Signature&) = delete;
  Signature& operator=(const Signature&) = delete;

  /// Overridable initializers among them, as optional ones.
  const std::vector<Spec>& inputs() const { return inputs_; }
  const std::vector<Spec>& outputs() const { return outputs_; }
  /// Fills in inputs and outputs; they live as long as the signature.
  void Show(smi_model_info_t* info) const;

  /// Why `request` does not fit the graph's inputs, in a sentence for the caller; empty if it does.
  std::string Misfit(const smi_request_t& request) const;

 private:
  struct Shown {
    std::vector<std::vector<const char*>> dim_names;
    std::vector<smi_tensor_spec_t> specs;
  };
  static Shown ToSmi(const std::vector<Spec>& specs);

  std::vector<Spec> inputs_;
  std::vector<Spec> outputs_;
  Shown shown_inputs_;
  Shown shown_outputs_;
};

}  // namespace mlos::onnx
