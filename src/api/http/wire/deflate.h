// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "api/http/wire/byte_buffer.h"
#include "api/http/wire/coding.h"
#include "base/result.h"

namespace mlos::api::http::wire {

/// Compresses `text` in `coding`, which is not kIdentity, into a buffer of `budget`: as fast as
/// zlib can, because a caller waits. OVERLOADED, PAYLOAD_TOO_LARGE, OUT_OF_MEMORY.
Result<ByteBuffer> Deflate(ContentCoding coding, std::string_view text,
                           resource::ByteBudget& budget);

}  // namespace mlos::api::http::wire
