// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

#include "api/http/wire/byte_buffer.h"
#include "api/http/wire/coding.h"
#include "base/result.h"

namespace mlos::api::http::wire {

/// Decompresses a body of `coding`, which is not kIdentity, into a buffer of `budget`: a gzip file
/// (RFC 1952; several members one after the other count as one) or a zlib stream (RFC 1950).
/// MALFORMED_REQUEST where it is damaged or cut off; PAYLOAD_TOO_LARGE where it grows beyond
/// `bytes_max`, or beyond 16 MiB at more than 200 times its size, as no tensor does.
Result<ByteBuffer> Inflate(ContentCoding coding, std::string_view compressed,
                           std::uint64_t bytes_max, resource::ByteBudget& budget);

}  // namespace mlos::api::http::wire
