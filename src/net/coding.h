// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "net/byte_buffer.h"

namespace mlos::net {

/// How a body is compressed (RFC 9110, section 8.4.1): a gzip file (RFC 1952), or a zlib stream
/// (RFC 1950), which is what "deflate" means there.
enum class ContentCoding : std::uint8_t { kIdentity, kGzip, kDeflate };

/// Appends `data`, compressed in `coding`, which is not kIdentity, to `out`: at zlib's fastest
/// level, because a caller waits. If `out` has no room, its failure; otherwise OUT_OF_MEMORY. `out`
/// may have grown in either case.
Status Deflate(ContentCoding coding, std::string_view data, ByteBuffer& out);

/// Decompresses a body of `coding`, which is not kIdentity, into a buffer of `budget`; several gzip
/// members one after the other count as one. MALFORMED_REQUEST if it is damaged or cut off;
/// PAYLOAD_TOO_LARGE if it grows beyond `bytes_max`, or beyond 16 MiB at more than 200 times its
/// size, as no tensor does.
Result<ByteBuffer> Inflate(ContentCoding coding, std::string_view compressed,
                           std::uint64_t bytes_max, resource::ByteBudget& budget);

}  // namespace mlos::net
