// SPDX-License-Identifier: MIT
#include "net/inflate.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <string>

namespace mlos::net {
namespace {

// The largest window, and no other format than the one.
constexpr int kZlibOnly = 15;
constexpr int kGzipOnly = 15 + 16;
constexpr std::uint64_t kRatioMax = 200;
constexpr std::uint64_t kRatioFreeBytes = 16 << 20;

/// A z_stream that is ended. Thread-compatible.
class Inflater {
 public:
  Inflater(ContentCoding coding, std::string_view input) {
    // zlib's interface lacks the const that its documentation promises.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
    rest_ = input.size();
    ready_ = inflateInit2(&stream_, coding == ContentCoding::kGzip ? kGzipOnly : kZlibOnly) == Z_OK;
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() { inflateEnd(&stream_); }

  bool ready() const { return ready_; }
  bool at_end() const { return rest_ == 0 && stream_.avail_in == 0; }

  /// Writes up to `room` bytes and returns their number; `result` is what zlib says.
  std::size_t Next(char* out, std::size_t room, int& result) {
    if (stream_.avail_in == 0) {
      // zlib counts its input in 32 bits.
      stream_.avail_in =
          static_cast<uInt>(std::min<std::size_t>(rest_, std::numeric_limits<uInt>::max()));
      rest_ -= stream_.avail_in;
    }
    stream_.next_out = reinterpret_cast<Bytef*>(out);
    stream_.avail_out = static_cast<uInt>(room);
    result = inflate(&stream_, Z_NO_FLUSH);
    return room - stream_.avail_out;
  }
  void NextMember() { inflateReset(&stream_); }

 private:
  z_stream stream_{};
  std::size_t rest_ = 0;
  bool ready_ = false;
};

Status CheckSize(std::uint64_t inflated, std::uint64_t compressed, std::uint64_t bytes_max) {
  if (inflated > bytes_max) {
    return {Reason::kPayloadTooLarge, "the decompressed body is longer than the " +
                                          std::to_string(bytes_max) + " bytes allowed"};
  }
  if (inflated > kRatioFreeBytes && inflated / kRatioMax > compressed) {
    return {Reason::kPayloadTooLarge,
            "the body decompresses to more than 16 MiB and 200 times its size"};
  }
  return OkStatus();
}

}  // namespace

Result<ByteBuffer> Inflate(ContentCoding coding, std::string_view compressed,
                           std::uint64_t bytes_max, resource::ByteBudget& budget) {
  const Status damaged(Reason::kMalformedRequest,
                       coding == ContentCoding::kGzip
                           ? "the body is not a whole gzip file"
                           : "the body is not a whole zlib stream (RFC 1950), as deflate "
                             "means in HTTP");
  Inflater inflater(coding, compressed);
  if (!inflater.ready()) return Status(Reason::kOutOfMemory, "no memory to decompress the body");
  ByteBuffer inflated(budget);
  int result = Z_OK;
  while (result != Z_STREAM_END || !inflater.at_end()) {
    if (result == Z_STREAM_END) {
      if (coding != ContentCoding::kGzip) return damaged;
      inflater.NextMember();
    }
    char* room = inflated.Prepare(kPieceBytes);
    if (room == nullptr) return inflated.status();
    const std::size_t count = inflater.Next(room, kPieceBytes, result);
    if (result != Z_OK && result != Z_STREAM_END) return damaged;
    inflated.Commit(count);
    MLOS_TRY(CheckSize(inflated.size(), compressed.size(), bytes_max));
  }
  return inflated;
}

}  // namespace mlos::net
