// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "net/byte_buffer.h"
#include "net/coding.h"

namespace mlos::net {

/// Decompresses a body of `coding`, which is not kIdentity, into a buffer of `budget`; several gzip
/// members one after the other count as one. MALFORMED_REQUEST if it is damaged or cut off;
/// PAYLOAD_TOO_LARGE if it grows beyond `bytes_max`, or beyond 16 MiB at more than 200 times its
/// size, as no tensor does.
Result<ByteBuffer> Inflate(ContentCoding coding, std::string_view compressed,
                           std::uint64_t bytes_max, resource::ByteBudget& budget);

}  // namespace mlos::net
