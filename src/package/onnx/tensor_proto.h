// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "package/onnx/model.h"
#include "package/onnx/wire.h"

namespace mlos::package::onnx {

inline constexpr std::size_t kNameBytesMax = 4096;

/// The declaration of a TensorProto; its values are skipped.
struct TensorSummary {
  std::string name;
  /// As the file has it.
  std::int64_t data_type = 0;
  std::vector<std::int64_t> dims;
  /// What dtype and dims need; 0 for strings and for types of unknown size.
  std::uint64_t bytes = 0;
  /// Where in the file its raw data begins, if it has any.
  std::optional<std::uint64_t> raw_offset_bytes;
  /// The place of the values, if they are not in the tensor itself.
  std::optional<ExternalData> external;
};

/// Reads `field` as a TensorProto. INVALID_MODEL for dims that are negative or overflow, values
/// that are not as many as the dims say, and external references that are unsafe, incomplete or
/// have keys other than location, offset, length and checksum.
Result<TensorSummary> ReadTensor(WireReader& wire, Field field);

/// Reads `field` as a ValueInfoProto.
Result<Value> ReadValue(WireReader& wire, Field field);

}  // namespace mlos::package::onnx
