// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/http/oip/messages/json_value.h"
#include "api/http/tensors/request_memory.h"
#include "base/result.h"
#include "tensor/tensor.h"

namespace mlos::api::http::oip::messages {

/// Reads the objects of `inputs`, one after the other:
///
///     {"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [0.5, 1]}
///     {"name": "x", "shape": [1, 2], "datatype": "FP32", "parameters": {"binary_data_size": 8}}
///
/// Members may come in any order; those that come in this one are read in one pass.
/// Thread-compatible.
class InputReader {
 public:
  /// `json` is the text, `binary` what follows it; both outlive the tensors.
  InputReader(std::string_view json, std::string_view binary, tensors::RequestMemory& memory)
      : json_(json), binary_(binary), memory_(memory) {}

  /// See ReadInferRequest.
  Result<tensor::NamedTensor> Read(value from);
  /// INVALID_FIELD where binary data is left that no input took.
  Status Finish() const;

 private:
  struct Input;

  Result<tensor::Tensor> ReadTensor(simdjson::ondemand::object object, Input& input);
  Status ReadMember(const std::string& key, value from, Input& input);
  static Status TakeParameter(Input& input, const std::string& key, const Parameter& parameter,
                              const std::string& field);
  Status ReadData(value from, Input& input);
  Result<tensor::Shape> ReadShape(value from);
  Result<tensor::Tensor> TakeBinary(Input& input);

  const std::string_view json_;
  std::string_view binary_;
  tensors::RequestMemory& memory_;
};

}  // namespace mlos::api::http::oip::messages
