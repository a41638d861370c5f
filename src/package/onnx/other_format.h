// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mlos::package::onnx {

/// As many bytes as DescribeOther looks at.
inline constexpr std::size_t kBeginningBytes = 512;

/// What a file is that is no ONNX model, and what to do: "is a zip archive; …". Nothing if its
/// `beginning` is of no kind that people take for a model. `size_bytes` is that of the whole file.
std::optional<std::string> DescribeOther(std::string_view beginning, std::uint64_t size_bytes);

}  // namespace mlos::package::onnx
