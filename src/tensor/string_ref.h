// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string_view>

namespace mlos::tensor {

/// One element of a string tensor: `size` bytes at `data`, which the tensor's buffer owns. Laid out
/// as SMI's smi_string_t.
struct StringRef {
  const char* data;
  std::size_t size;

  std::string_view view() const { return {data, size}; }
};

}  // namespace mlos::tensor
