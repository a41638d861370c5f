// SPDX-License-Identifier: MIT
#include "tensor/buffer.h"

#include <cstdlib>
#include <string>

namespace mlos::tensor {
namespace {

constexpr std::size_t kAlignment = 64;  // a cache line, and the widest vector load

void Free(void*, void* data) { std::free(data); }

}  // namespace

Buffer Buffer::Adopt(void* data, std::size_t size_bytes, Release release, void* context) {
  Buffer buffer;
  buffer.data_ = data;
  buffer.size_bytes_ = size_bytes;
  buffer.release_ = release;
  buffer.context_ = context;
  return buffer;
}

Buffer Buffer::Borrow(void* data, std::size_t size_bytes) {
  return Adopt(data, size_bytes, nullptr, nullptr);
}

Result<Buffer> Buffer::Allocate(std::size_t size_bytes) {
  // An empty tensor still has an address: engines refuse null data.
  const std::size_t rounded = (size_bytes / kAlignment + 1) * kAlignment;
  void* data = rounded > size_bytes ? std::aligned_alloc(kAlignment, rounded) : nullptr;
  if (data == nullptr) {
    return Status(Reason::kOutOfMemory,
                  "a tensor of " + std::to_string(size_bytes) + " bytes cannot be allocated");
  }
  return Adopt(data, size_bytes, &Free, nullptr);
}

}  // namespace mlos::tensor
