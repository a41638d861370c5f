// SPDX-License-Identifier: MIT
#include "api/grpc/tensors/elements.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string_view>
#include <utility>

namespace mlos::api::grpc::tensors {
namespace {

using tensor::DType;
using tensor::StringRef;
using tensor::Tensor;

static_assert(std::endian::native == std::endian::little, "raw tensors are little-endian");

constexpr std::size_t kLengthBytes = 4;

bool IsAligned(const void* data, std::size_t to) {
  return reinterpret_cast<std::uintptr_t>(data) % to == 0;
}

Status CheckBools(std::string_view bytes) {
  const bool valid = std::all_of(bytes.begin(), bytes.end(), [](char c) { return (c & ~1) == 0; });
  if (valid) return OkStatus();
  return {Reason::kValueOutOfRange, "a bool is a byte of 0 or 1"};
}

// 0 at the end; more than is left where the bytes are cut off.
std::size_t ElementLength(std::string_view bytes) {
  std::uint32_t length = 0;
  std::memcpy(&length, bytes.data(), kLengthBytes);
  return length;
}

Result<std::int64_t> CountElements(std::string_view bytes) {
  std::int64_t count = 0;
  while (!bytes.empty()) {
    if (bytes.size() < kLengthBytes || ElementLength(bytes) > bytes.size() - kLengthBytes) {
      return Status(Reason::kMalformedRequest,
                    "element " + std::to_string(count) + " of the tensor is cut off");
    }
    bytes.remove_prefix(kLengthBytes + ElementLength(bytes));
    ++count;
  }
  return count;
}

}  // namespace

Status WrongCount(std::string_view unit, std::uint64_t given, std::uint64_t needed,
                  const tensor::Shape& shape) {
  return {Reason::kShapeMismatch, "the tensor has " + std::to_string(given) + " " +
                                      std::string(unit) + "; its shape " + tensor::ToString(shape) +
                                      " needs " + std::to_string(needed)};
}

Result<Tensor> FromBytes(DType dtype, tensor::Shape shape, std::string_view bytes,
                         TensorMemory& memory) {
  const std::size_t needed = MLOS_TRY(tensor::ByteSize(dtype, shape));
  if (bytes.size() != needed) return WrongCount("bytes", bytes.size(), needed, shape);
  if (dtype == DType::kBool) MLOS_TRY(CheckBools(bytes));
  if (IsAligned(bytes.data(), tensor::ElementSize(dtype))) {
    // Inputs are only read.
    auto buffer = tensor::Buffer::Borrow(const_cast<char*>(bytes.data()), bytes.size());
    return Tensor::FromBuffer(dtype, std::move(shape), std::move(buffer));
  }
  MLOS_TRY(memory.Add(bytes.size()));
  Tensor copy = MLOS_TRY(Tensor::Allocate(dtype, std::move(shape)));
  std::memcpy(copy.data(), bytes.data(), bytes.size());
  return copy;
}

Result<Tensor> FromPrefixedBytes(tensor::Shape shape, std::string_view bytes,
                                 TensorMemory& memory) {
  const std::int64_t count = MLOS_TRY(CountElements(bytes));
  return FromStrings(
      std::move(shape), count,
      [&bytes](std::int64_t) {
        const std::string_view element = bytes.substr(kLengthBytes, ElementLength(bytes));
        bytes.remove_prefix(kLengthBytes + element.size());
        return element;
      },
      memory);
}

}  // namespace mlos::api::grpc::tensors
