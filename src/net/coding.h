// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "net/body_source.h"
#include "net/byte_buffer.h"

namespace mlos::net {

/// How a body is compressed (RFC 9110, section 8.4.1): a gzip file (RFC 1952), or a zlib stream
/// (RFC 1950), which is what "deflate" means there.
enum class ContentCoding : std::uint8_t { kIdentity, kGzip, kDeflate };

/// Appends `data`, compressed in `coding`, which is not kIdentity, to `out`: at zlib's fastest
/// level, because a caller waits. If `out` has no room, its failure; otherwise OUT_OF_MEMORY. `out`
/// may have grown in either case.
Status Deflate(ContentCoding coding, std::string_view data, ByteBuffer& out);

/// A body compressed in `coding`, which is not kIdentity, while it is sent. Pieces are compressed
/// on their own, which costs a few per cent of size: between them nothing is kept but a checksum,
/// where zlib would keep a quarter of a megabyte. Thread-compatible.
class DeflatedBody final : public BodySource {
 public:
  /// OUT_OF_MEMORY.
  static Result<std::unique_ptr<DeflatedBody>> Create(ContentCoding coding,
                                                      std::unique_ptr<BodySource> plain);

  std::optional<std::uint64_t> length() const override { return std::nullopt; }
  std::string_view Next() override;

 private:
  DeflatedBody(ContentCoding coding, std::unique_ptr<BodySource> plain);
  void AppendHead();
  void AppendPiece(std::string_view text);
  void AppendEnd();

  const ContentCoding coding_;
  const std::unique_ptr<BodySource> plain_;
  std::string_view rest_;  ///< of a piece of `plain_`
  ByteBuffer piece_;
  std::uint32_t checksum_;
  std::uint32_t length_ = 0;  ///< modulo 2^32, as gzip wants it
  bool begun_ = false;
  bool ended_ = false;
};

/// Decompresses a body of `coding`, which is not kIdentity, into a buffer of `budget`; several gzip
/// members one after the other count as one. MALFORMED_REQUEST if it is damaged or cut off;
/// PAYLOAD_TOO_LARGE if it grows beyond `bytes_max`, or beyond 16 MiB at more than 200 times its
/// size, as no tensor does.
Result<ByteBuffer> Inflate(ContentCoding coding, std::string_view compressed,
                           std::uint64_t bytes_max, resource::ByteBudget& budget);

}  // namespace mlos::net
