// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"
#include "engine/inference.h"
#include "mlos/smi_spec.h"
#include "plugin/inline_array.h"

namespace mlos::plugin {

/// An output that a model declares, as a request needs it.
struct OutputSlot {
  std::string name;
  tensor::DType dtype = tensor::DType::kUndefined;
  /// Only where preallocated.
  tensor::Shape shape;
  /// Whether the host allocates it: every dimension is fixed, the elements are no strings, and it
  /// is small enough not to matter in the host's own accounts.
  bool preallocated = false;
};

/// The slots of `schema.outputs`, in the same order.
std::vector<OutputSlot> PlanOutputs(const engine::ModelSchema& schema);

/// A request as a plugin sees it: the same tensors, viewed. Borrows the request. Thread-compatible.
class RequestView {
 public:
  /// INVALID_FIELD for a name that C strings cannot carry.
  static Status Check(const engine::InferenceRequest& request);
  /// `cancelled` is null for a request that nobody will stop.
  RequestView(const engine::InferenceRequest& request, const std::uint32_t* cancelled);

  const smi_request_t* smi() const { return &smi_; }
  /// Of the sequence that the request belongs to; 0 for none.
  std::uint64_t sequence_number() const { return sequence_number_; }

 private:
  std::uint64_t sequence_number_ = 0;
  InlineArray<smi_tensor_t, 8> inputs_;
  smi_request_t smi_{};
};

/// The outputs of one run: what the host allocates before it and takes over after it. Borrows the
/// slots and the request. Thread-compatible.
class ResponseView {
 public:
  /// `slots` is null where the model declares nothing.
  ResponseView(const std::vector<OutputSlot>* slots, const engine::InferenceRequest& request);

  /// Names the outputs and allocates those that can be. OUT_OF_MEMORY; INVALID_FIELD for a name
  /// that is not the model's. Until it has succeeded there is nothing to Collect.
  Status Prepare();
  smi_response_t* smi() { return &smi_; }
  /// After a run that succeeded, once: takes over every output, even when one is refused, so that
  /// all are released. PLUGIN_FAILED names the output.
  Result<std::vector<tensor::NamedTensor>> Collect();

 private:
  /// Null where the model does not declare the output.
  const OutputSlot* SlotOf(std::size_t index) const;
  Status PrepareSlot(std::size_t index, const OutputSlot& slot);
  Status PrepareUndeclared(std::size_t index);
  Status CheckUnchanged(std::size_t index) const;
  Status Take(std::size_t index);

  const std::vector<OutputSlot>* const slots_;
  const std::vector<std::string>& requested_;
  /// Neither model nor caller names outputs: the plugin does.
  const bool plugin_names_;
  InlineArray<smi_tensor_t, 16> outputs_;
  std::vector<tensor::NamedTensor> tensors_;
  smi_response_t smi_{};
};

/// Picks the outputs that `request` asks for, or all that `slots` declare, out of those a plugin
/// has named itself; all of them where neither says which. PLUGIN_FAILED for one that is not there.
Result<std::vector<tensor::NamedTensor>> PickOutputs(const std::vector<OutputSlot>* slots,
                                                     const engine::InferenceRequest& request,
                                                     std::vector<tensor::NamedTensor> given);

}  // namespace mlos::plugin
