// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace mlos::api::grpc::messages {

struct Cost;

/// A field that can take more memory than it takes bytes.
struct CostField {
  std::uint32_t number;
  const Cost* message;          ///< what it holds, or null for packed numbers
  std::uint64_t packed_factor;  ///< memory for each byte of packed numbers
};

/// The fields of a message that hold messages or packed numbers.
struct Cost {
  std::span<const CostField> fields;
};

/// Of messages that hold only numbers and text.
extern const Cost kFlatCost;

/// At least the memory that parsing `bytes` takes, told from their tags: a few bytes of protobuf
/// become an object of a hundred, and a packed byte a number of eight. Never fails: what is not
/// well-formed is refused by the parser later. Linear in the number of fields, not of bytes.
std::uint64_t MemoryCost(std::string_view bytes, const Cost& cost);

}  // namespace mlos::api::grpc::messages
