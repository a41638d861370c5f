// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "base/result.h"
#include "net/byte_buffer.h"
#include "net/coding.h"

namespace mlos::net {

/// Appends `data`, compressed in `coding`, which is not kIdentity, to `out`: as fast as zlib can,
/// because a caller waits. What `out` says where it has no room, OUT_OF_MEMORY; `out` may have
/// grown then.
Status Deflate(ContentCoding coding, std::string_view data, ByteBuffer& out);

}  // namespace mlos::net
