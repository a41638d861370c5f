// SPDX-License-Identifier: MIT
#pragma once

#include <onnxruntime_cxx_api.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "mlos/smi_spec.h"

namespace mlos::onnx {

/// A run of small tensors made ready beforehand: ONNX Runtime's values and their binding, over
/// memory of its own. For inputs of the same shapes as before that takes less than making values
/// for each run, although the elements are copied in and out. One run at a time.
class PreparedRun {
 public:
  /// Whether `request` and the `response` it was given are worth it: small, and without strings.
  static bool IsWorthIt(const smi_request_t& request, const smi_response_t& response);
  /// Throws Ort::Exception.
  PreparedRun(Ort::Session& session, const Ort::MemoryInfo& memory_info,
              const smi_request_t& request, const smi_response_t& response);
  PreparedRun(const PreparedRun&) = delete;
  PreparedRun& operator=(const PreparedRun&) = delete;

  /// Whether `request` has just these inputs, and `response` wants just these outputs.
  bool Fits(const smi_request_t& request, const smi_response_t& response) const;
  /// Runs what fits. False where the outputs are not where they should be, and the run does not
  /// count. Throws Ort::Exception.
  bool Run(Ort::Session& session, const Ort::RunOptions& options, const smi_request_t& request);
  /// Copies one of the outputs to where the host wants it, or to memory that is handed over. Throws
  /// std::bad_alloc.
  void HandOver(std::size_t index, smi_tensor_t& output) const;

 private:
  struct Slot {
    std::string name;
    smi_dtype_t dtype = SMI_DTYPE_UNDEFINED;
    std::vector<std::int64_t> shape;
    std::size_t size_bytes = 0;
    std::byte* data = nullptr;
  };

  Slot MakeSlot(const smi_tensor_t& tensor);
  static Ort::Value ValueOf(const Slot& slot, const Ort::MemoryInfo& memory_info);
  static bool Matches(const Slot& slot, const smi_tensor_t& tensor);
  bool WritesInPlace() const;

  std::vector<std::unique_ptr<std::byte[]>> memory_;
  std::vector<Slot> inputs_;
  std::vector<Slot> outputs_;
  Ort::IoBinding binding_;
  bool checked_ = false;
};

}  // namespace mlos::onnx
