// SPDX-License-Identifier: MIT
#include <zlib.h>

#include "net/gzip.h"

namespace mlos::net {
namespace {

constexpr int kGzip = 15 + 16;  // the largest window, in gzip's format
constexpr int kMemoryLevel = 8;
constexpr std::size_t kInputBytesMax = 1U << 30;  // zlib counts in 32 bits

}  // namespace

Status Gzip(std::string_view data, ByteBuffer& out) {
  if (data.size() > kInputBytesMax) return {Reason::kPayloadTooLarge, "too much to compress"};
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzip, kMemoryLevel, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    return {Reason::kOutOfMemory, "no memory to compress the reply"};
  }
  const std::size_t room = deflateBound(&stream, data.size());
  char* target = out.Prepare(room);
  int result = Z_MEM_ERROR;
  if (target != nullptr) {
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
    stream.avail_in = static_cast<uInt>(data.size());
    stream.next_out = reinterpret_cast<Bytef*>(target);
    stream.avail_out = static_cast<uInt>(room);
    result = deflate(&stream, Z_FINISH);
    out.Commit(room - stream.avail_out);
  }
  deflateEnd(&stream);
  if (!out.status().ok()) return out.status();
  return result == Z_STREAM_END ? OkStatus() : Status(Reason::kInternal, "compressing failed");
}

}  // namespace mlos::net
