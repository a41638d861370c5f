// SPDX-License-Identifier: MIT
#include "tensor/buffer.h"

#include <cstdlib>
#include <memory>
#include <string>

namespace mlos::tensor {
namespace {

constexpr std::size_t kAlignment = 64;  // a cache line, and the widest vector load

/// `block` is what malloc gave.
void Free(void* block, void* /*data*/) { std::free(block); }

}  // namespace

Buffer Buffer::Adopt(void* data, std::size_t size_bytes, Release release, void* context,
                     MemoryKind memory) {
  Buffer buffer;
  buffer.data_ = data;
  buffer.size_bytes_ = size_bytes;
  buffer.release_ = release;
  buffer.context_ = context;
  buffer.memory_ = memory;
  return buffer;
}

Buffer Buffer::Borrow(void* data, std::size_t size_bytes) {
  return Adopt(data, size_bytes, nullptr, nullptr);
}

Result<Buffer> Buffer::Allocate(std::size_t size_bytes) {
  // Aligned here: aligned_alloc has no cache of small blocks for each thread, and takes several
  // times as long. The end is rounded up too, and an empty tensor still has an address: engines
  // refuse null data.
  std::size_t space = (size_bytes / kAlignment + 2) * kAlignment;
  void* const block = space > size_bytes ? std::malloc(space) : nullptr;
  void* data = block;
  if (block == nullptr || std::align(kAlignment, size_bytes, data, space) == nullptr) {
    return Status(Reason::kOutOfMemory,
                  "a tensor of " + std::to_string(size_bytes) + " bytes cannot be allocated");
  }
  return Adopt(data, size_bytes, &Free, block);
}

}  // namespace mlos::tensor
