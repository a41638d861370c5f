// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

namespace mlos::net {

/// How a body is compressed (RFC 9110, section 8.4.1): a gzip file (RFC 1952), or a zlib stream
/// (RFC 1950), which is what "deflate" means there.
enum class ContentCoding : std::uint8_t { kIdentity, kGzip, kDeflate };

/// Bytes of output in one step of compression or decompression.
constexpr std::size_t kPieceBytes = 64 << 10;

}  // namespace mlos::net
