// SPDX-License-Identifier: MIT
#include "net/coding.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <string>

#include "base/inflater.h"

namespace mlos::net {
namespace {

// Bytes of output in one step.
constexpr std::size_t kPieceBytes = 64 << 10;
constexpr int kMemoryLevel = 8;  // zlib's default
constexpr std::uint64_t kRatioMax = 200;
constexpr std::uint64_t kRatioFreeBytes = 16 << 20;

// The largest window, in a gzip file or a zlib stream.
constexpr int WindowBits(ContentCoding coding) {
  return coding == ContentCoding::kGzip ? 15 + 16 : 15;
}

/// A z_stream that is ended. Thread-compatible.
class Deflater {
 public:
  explicit Deflater(ContentCoding coding) {
    ready_ = deflateInit2(&stream_, Z_BEST_SPEED, Z_DEFLATED, WindowBits(coding), kMemoryLevel,
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

Result<ByteBuffer> Inflate(ContentCoding coding, std::string_view compressed,
                           std::uint64_t bytes_max, resource::ByteBudget& budget) {
  const bool gzip = coding == ContentCoding::kGzip;
  Inflater inflater(gzip ? Inflater::Format::kGzip : Inflater::Format::kZlib);
  if (!inflater.ready()) return Status(Reason::kOutOfMemory, "no memory to decompress the body");
  inflater.Give(compressed);
  ByteBuffer inflated(budget);
  for (std::size_t count = 1; inflater.problem().empty() && (count != 0 || !inflater.hungry());) {
    char* room = inflated.Prepare(kPieceBytes);
    if (room == nullptr) return inflated.status();
    count = inflater.Next(room, kPieceBytes);
    inflated.Commit(count);
    MLOS_TRY(CheckSize(inflated.size(), compressed.size(), bytes_max));
  }
  if (inflater.ProblemAtEnd().empty()) return inflated;
  return Status(Reason::kMalformedRequest,
                std::string(gzip ? "the body, sent as gzip, " : "the body, sent as deflate, ") +
                    std::string(inflater.ProblemAtEnd()));
}

}  // namespace mlos::net
