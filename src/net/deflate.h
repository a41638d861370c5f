// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "base/result.h"
#include "net/byte_buffer.h"
#include "net/coding.h"

namespace mlos::net {

/// Appends `data`, compressed in `coding`, which is not kIdentity, to `out`: at zlib's fastest
/// level, because a caller waits. If `out` has no room, its failure; otherwise OUT_OF_MEMORY. `out`
/// may have grown in either case.
Status Deflate(ContentCoding coding, std::string_view data, ByteBuffer& out);

}  // namespace mlos::net
