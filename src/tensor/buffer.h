// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "base/result.h"

namespace mlos::tensor {

/// Where bytes lie, and so who can read them through a pointer.
enum class MemoryKind : std::uint8_t {
  kHost,  ///< the memory of this process
};

/// A block of bytes and the way to give it back: allocated here, adopted from a plugin that hands
/// its output over, or borrowed from something the request keeps alive. Move-only;
/// thread-compatible.
class Buffer {
 public:
  using Release = void (*)(void* context, void* data);

  Buffer() = default;
  /// Takes over `data`; `release(context, data)` is called once, when the buffer dies.
  static Buffer Adopt(void* data, std::size_t size_bytes, Release release, void* context,
                      MemoryKind memory = MemoryKind::kHost);
  /// Borrows `data`, whose owner must outlive the buffer.
  static Buffer Borrow(void* data, std::size_t size_bytes);
  /// 64-byte aligned, not initialised. OUT_OF_MEMORY if the allocator refuses.
  static Result<Buffer> Allocate(std::size_t size_bytes);

  Buffer(Buffer&& other) noexcept { *this = std::move(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_bytes_, other.size_bytes_);
    std::swap(release_, other.release_);
    std::swap(context_, other.context_);
    std::swap(memory_, other.memory_);
    return *this;
  }
  ~Buffer() {
    if (release_ != nullptr) release_(context_, data_);
  }

  void* data() const { return data_; }
  std::size_t size_bytes() const { return size_bytes_; }
  MemoryKind memory() const { return memory_; }

 private:
  void* data_ = nullptr;
  std::size_t size_bytes_ = 0;
  Release release_ = nullptr;
  void* context_ = nullptr;
  MemoryKind memory_ = MemoryKind::kHost;
};

}  // namespace mlos::tensor
