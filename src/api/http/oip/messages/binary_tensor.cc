// SPDX-License-Identifier: MIT
#include "api/http/oip/messages/binary_tensor.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

#include "api/oip/datatype.h"

namespace mlos::api::http::oip::messages {
namespace {

using tensor::Buffer;
using tensor::DType;
using tensor::Shape;
using tensor::StringRef;
using tensor::Tensor;

static_assert(std::endian::native == std::endian::little, "elements are copied as they are");

constexpr std::size_t kLengthBytes = sizeof(std::uint32_t);

Status WrongSize(DType dtype, const Shape& shape, std::size_t given, std::size_t wanted) {
  return {Reason::kShapeMismatch, "binary_data_size is " + std::to_string(given) + "; " +
                                      std::string(api::oip::DatatypeName(dtype)) + " of shape " +
                                      tensor::ToString(shape) + " takes " + std::to_string(wanted) +
                                      " bytes"};
}

// Counts and lengths are the caller's: none is believed beyond the bytes there are.
Result<Tensor> ReadStrings(Shape shape, std::string_view bytes, tensors::RequestMemory& memory) {
  const std::int64_t count = MLOS_TRY(tensor::ElementCount(shape));
  const Status damaged(Reason::kShapeMismatch, "the binary data does not hold the " +
                                                   std::to_string(count) + " strings of shape " +
                                                   tensor::ToString(shape) +
                                                   ", each with its length in 4 bytes in front");
  if (static_cast<std::uint64_t>(count) > bytes.size() / kLengthBytes) {
    if (count != 0 || !bytes.empty()) return damaged;
  }
  const auto string_count = static_cast<std::size_t>(count);
  MLOS_TRY(memory.Add(string_count * sizeof(StringRef)));
  Tensor tensor = MLOS_TRY(Tensor::Allocate(DType::kString, std::move(shape)));
  for (StringRef& element : tensor.elements<StringRef>()) {
    std::uint32_t length = 0;
    if (bytes.size() < kLengthBytes) return damaged;
    std::memcpy(&length, bytes.data(), kLengthBytes);
    bytes.remove_prefix(kLengthBytes);
    if (bytes.size() < length) return damaged;
    element = {bytes.data(), length};
    bytes.remove_prefix(length);
  }
  if (!bytes.empty()) return damaged;
  return tensor;
}

Status CheckBools(std::string_view bytes) {
  const auto wrong =
      std::find_if(bytes.begin(), bytes.end(), [](char c) { return c != 0 && c != 1; });
  if (wrong == bytes.end()) return OkStatus();
  return {Reason::kValueOutOfRange, "element " + std::to_string(wrong - bytes.begin()) +
                                        " is a byte that is neither 0 nor 1, as BOOL wants"};
}

bool IsAligned(std::string_view bytes, std::size_t size) {
  return reinterpret_cast<std::uintptr_t>(bytes.data()) % size == 0;
}

}  // namespace

Result<Tensor> ReadBinaryTensor(DType dtype, Shape shape, std::string_view bytes,
                                tensors::RequestMemory& memory) {
  if (dtype == DType::kString) return ReadStrings(std::move(shape), bytes, memory);
  const std::size_t size = MLOS_TRY(tensor::ByteSize(dtype, shape));
  if (size != bytes.size()) return WrongSize(dtype, shape, bytes.size(), size);
  if (dtype == DType::kBool) MLOS_TRY(CheckBools(bytes));
  if (size != 0 && IsAligned(bytes, tensor::ElementSize(dtype))) {
    // Engines do not write to inputs.
    void* const data = const_cast<char*>(bytes.data());
    return Tensor::FromBuffer(dtype, std::move(shape), Buffer::Borrow(data, size));
  }
  MLOS_TRY(memory.Add(size));
  Tensor tensor = MLOS_TRY(Tensor::Allocate(dtype, std::move(shape)));
  if (size != 0) std::memcpy(tensor.data(), bytes.data(), size);
  return tensor;
}

}  // namespace mlos::api::http::oip::messages
