// SPDX-License-Identifier: MIT
#include "net/deflate.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

namespace mlos::net {
namespace {

constexpr int kZlib = 15;
constexpr int kGzip = 15 + 16;
constexpr int kMemoryLevel = 8;  // zlib's default

/// A z_stream that is ended. Thread-compatible.
class Deflater {
 public:
  explicit Deflater(ContentCoding coding) {
    ready_ = deflateInit2(&stream_, Z_BEST_SPEED, Z_DEFLATED,
                          coding == ContentCoding::kGzip ? kGzip : kZlib, kMemoryLevel,
                          Z_DEFAULT_STRATEGY) == Z_OK;
  }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;
  ~Deflater() { deflateEnd(&stream_); }

  bool ready() const { return ready_; }

  /// Takes as much of `text` as it can and writes up to `room` bytes to `out`; returns their
  /// number. `ended` once everything is written.
  std::size_t Next(std::string_view& text, char* out, std::size_t room, bool& ended) {
    // zlib counts in 32 bits, and its interface lacks the const that its documentation promises.
    const std::size_t given = std::min<std::size_t>(text.size(), std::numeric_limits<uInt>::max());
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream_.avail_in = static_cast<uInt>(given);
    stream_.next_out = reinterpret_cast<Bytef*>(out);
    stream_.avail_out = static_cast<uInt>(room);
    ended = deflate(&stream_, given == text.size() ? Z_FINISH : Z_NO_FLUSH) == Z_STREAM_END;
    text.remove_prefix(given - stream_.avail_in);
    return room - stream_.avail_out;
  }

 private:
  z_stream stream_{};
  bool ready_ = false;
};

}  // namespace

Status Deflate(ContentCoding coding, std::string_view data, ByteBuffer& out) {
  Deflater deflater(coding);
  if (!deflater.ready()) return {Reason::kOutOfMemory, "no memory to compress the reply"};
  for (bool ended = false; !ended;) {
    char* room = out.Prepare(kPieceBytes);
    if (room == nullptr) return out.status();
    out.Commit(deflater.Next(data, room, kPieceBytes, ended));
  }
  return OkStatus();
}

}  // namespace mlos::net
