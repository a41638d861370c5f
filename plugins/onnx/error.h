// SPDX-License-Identifier: MIT
#pragma once

#include <onnxruntime_cxx_api.h>

#include <stdexcept>
#include <string>
#include <string_view>

#include "mlos/smi_spec.h"

namespace mlos::onnx {

/// A failure with the SMI status it ends in. ONNX Runtime's C++ API reports by exceptions, so this
/// plugin does too, up to its entries, which let none out.
class Error : public std::runtime_error {
 public:
  Error(smi_status_t status, const std::string& message)
      : std::runtime_error(message), status_(status) {}
  smi_status_t status() const { return status_; }

 private:
  smi_status_t status_;
};

/// A message of ONNX Runtime without what its callers need not know: source files, line numbers and
/// C++ signatures. "Non-zero status code returned while running Gather node. Name:'g' Status
/// Message: m" becomes `node Gather "g": m`.
std::string CleanMessage(std::string_view message);

/// What a failure to open a session means: broken files, a graph that ONNX Runtime does not
/// support, or memory.
Error LoadError(const Ort::Exception& exception);

/// What a failure to run a session means. A node fails for data that it cannot work with, which is
/// the caller's fault, or for memory.
Error RunError(const Ort::Exception& exception);

}  // namespace mlos::onnx
