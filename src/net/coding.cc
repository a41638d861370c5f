// SPDX-License-Identifier: MIT
#include "net/coding.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "base/inflater.h"

namespace mlos::net {
namespace {

// Bytes of output in one step.
constexpr std::size_t kPieceBytes = 64 << 10;
constexpr int kMemoryLevel = 8;  // zlib's default
// Of a DeflatedBody before and after compression; zlib makes nothing longer by more than this.
constexpr std::size_t kPlainPieceBytes = 12 << 10;
constexpr std::size_t kDeflatedPieceBytes = kPlainPieceBytes + (1 << 10);
constexpr std::uint64_t kRatioMax = 200;
constexpr std::uint64_t kRatioFreeBytes = 16 << 20;

// The largest window, in a gzip file or a zlib stream.
constexpr int WindowBits(ContentCoding coding) {
  return coding == ContentCoding::kGzip ? 15 + 16 : 15;
}

/// A z_stream that is ended. Thread-compatible.
class Deflater {
 public:
  explicit Deflater(int window_bits) {
    ready_ = deflateInit2(&stream_, Z_BEST_SPEED, Z_DEFLATED, window_bits, kMemoryLevel,
                          Z_DEFAULT_STRATEGY) == Z_OK;
  }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;
  ~Deflater() { deflateEnd(&stream_); }

  bool ready() const { return ready_; }

  /// Takes as much of `text` as it can and writes up to `room` bytes to `out`; returns their
  /// number. `ended` once everything is written.
  std::size_t Next(std::string_view& text, char* out, std::size_t room, bool& ended) {
    // zlib counts in 32 bits.
    const std::size_t given = std::min<std::size_t>(text.size(), std::numeric_limits<uInt>::max());
    ended = Step(text.substr(0, given), out, room, given == text.size() ? Z_FINISH : Z_NO_FLUSH) ==
            Z_STREAM_END;
    text.remove_prefix(given - stream_.avail_in);
    return room - stream_.avail_out;
  }

  /// Writes all of `text` to `out`, which has room for it, as blocks that are not the last ones and
  /// end with a whole byte; returns their size.
  std::size_t Whole(std::string_view text, char* out, std::size_t room) {
    Step(text, out, room, Z_FULL_FLUSH);
    return room - stream_.avail_out;
  }

 private:
  int Step(std::string_view text, char* out, std::size_t room, int flush) {
    // zlib's interface lacks the const that its documentation promises.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream_.avail_in = static_cast<uInt>(text.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out);
    stream_.avail_out = static_cast<uInt>(room);
    return deflate(&stream_, flush);
  }

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
  Deflater deflater(WindowBits(coding));
  if (!deflater.ready()) return {Reason::kOutOfMemory, "no memory to compress the reply"};
  for (bool ended = false; !ended;) {
    char* room = out.Prepare(kPieceBytes);
    if (room == nullptr) return out.status();
    out.Commit(deflater.Next(data, room, kPieceBytes, ended));
  }
  return OkStatus();
}

DeflatedBody::DeflatedBody(ContentCoding coding, std::unique_ptr<BodySource> plain)
    : coding_(coding),
      plain_(std::move(plain)),
      checksum_(coding == ContentCoding::kGzip ? 0 : 1) {}

Result<std::unique_ptr<DeflatedBody>> DeflatedBody::Create(ContentCoding coding,
                                                           std::unique_ptr<BodySource> plain) {
  std::unique_ptr<DeflatedBody> body(new DeflatedBody(coding, std::move(plain)));
  if (body->piece_.Prepare(kDeflatedPieceBytes) == nullptr) return body->piece_.status();
  return body;
}

std::string_view DeflatedBody::Next() {
  piece_.Clear();
  if (ended_) return {};
  if (!std::exchange(begun_, true)) AppendHead();
  if (rest_.empty()) rest_ = plain_->Next();
  if (rest_.empty()) {
    AppendEnd();
    ended_ = true;
  } else {
    const std::string_view text = rest_.substr(0, kPlainPieceBytes);
    rest_.remove_prefix(text.size());
    AppendPiece(text);
  }
  return piece_.view();
}

// No name and no time; compressed as fast as can be, on no system that is told (RFC 1952, section
// 2.3.1), or a window of 32 KiB (RFC 1950, section 2.2).
void DeflatedBody::AppendHead() {
  constexpr std::string_view kGzipHead("\x1f\x8b\x08\0\0\0\0\0\x04\xff", 10);
  constexpr std::string_view kZlibHead("\x78\x01", 2);
  piece_.Append(coding_ == ContentCoding::kGzip ? kGzipHead : kZlibHead);
}

void DeflatedBody::AppendPiece(std::string_view text) {
  const auto* const bytes = reinterpret_cast<const Bytef*>(text.data());
  const auto size = static_cast<uInt>(text.size());
  length_ += size;
  checksum_ =
      static_cast<std::uint32_t>(coding_ == ContentCoding::kGzip ? crc32(checksum_, bytes, size)
                                                                 : adler32(checksum_, bytes, size));
  constexpr int kNoHead = -15;
  if (Deflater deflater(kNoHead); deflater.ready()) {
    const std::size_t room = piece_.capacity() - piece_.size();
    piece_.Commit(deflater.Whole(text, piece_.data() + piece_.size(), room));
    return;
  }
  // A block that is not compressed takes no memory (RFC 1951, section 3.2.4).
  const std::uint16_t lengths[] = {static_cast<std::uint16_t>(size),
                                   static_cast<std::uint16_t>(~size)};
  piece_.Append('\0');
  piece_.Append(std::string_view(reinterpret_cast<const char*>(lengths), sizeof(lengths)));
  piece_.Append(text);
}

void DeflatedBody::AppendEnd() {
  constexpr std::string_view kLastBlock("\x03\0", 2);  // without content
  piece_.Append(kLastBlock);
  const auto append = [this](std::uint32_t number, bool big_endian) {
    for (int i = 0; i < 4; ++i) {
      piece_.Append(static_cast<char>(number >> 8 * (big_endian ? 3 - i : i)));
    }
  };
  append(checksum_, coding_ != ContentCoding::kGzip);
  if (coding_ == ContentCoding::kGzip) append(length_, false);
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
