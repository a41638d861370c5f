// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>

namespace mlos::plugin {

/// An array of a size fixed at construction that lives in place up to `N` elements, so that the
/// path of a request allocates nothing for it. Elements start uninitialised. Thread-compatible.
template <typename T, std::size_t N>
class InlineArray {
  static_assert(std::is_trivial_v<T>);

 public:
  explicit InlineArray(std::size_t size)
      : heap_(size > N ? std::make_unique_for_overwrite<T[]>(size) : nullptr), size_(size) {}
  InlineArray(const InlineArray&) = delete;
  InlineArray& operator=(const InlineArray&) = delete;

  T* data() { return heap_ ? heap_.get() : place_; }
  const T* data() const { return heap_ ? heap_.get() : place_; }
  std::size_t size() const { return size_; }
  T& operator[](std::size_t index) { return data()[index]; }
  const T& operator[](std::size_t index) const { return data()[index]; }

 private:
  T place_[N];
  const std::unique_ptr<T[]> heap_;
  const std::size_t size_;
};

}  // namespace mlos::plugin
