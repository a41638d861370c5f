// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "net/byte_buffer.h"

namespace mlos::net {

/// Decompresses a gzip file (RFC 1952; several members one after the other count as one) into a
/// buffer of `budget`. MALFORMED_REQUEST where it is damaged or cut off; PAYLOAD_TOO_LARGE where it
/// grows beyond `bytes_max`, or beyond 16 MiB at more than 200 times its size, as no tensor does.
Result<ByteBuffer> Gunzip(std::string_view compressed, std::uint64_t bytes_max,
                          resource::ByteBudget& budget);

/// Appends `data` as a gzip file to `out`, at zlib's quickest. What `out` says where it has no
/// room, OUT_OF_MEMORY, PAYLOAD_TOO_LARGE above 1 GiB; `out` may have grown then.
Status Gzip(std::string_view data, ByteBuffer& out);

}  // namespace mlos::net
