// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

#include "api/ipc/wire/fields.h"
#include "api/ipc/wire/protocol.h"
#include "base/result.h"

namespace mlos::api::ipc::wire {

/// The 16 bytes in front of every frame.
struct FrameHeader {
  std::uint32_t frame_bytes = 0;  ///< of the whole frame, these included
  FrameType type = FrameType::kError;
  std::uint8_t descriptors = 0;  ///< sent along with its bytes
  std::uint64_t request_id = 0;

  std::uint32_t body_bytes() const {
    return frame_bytes - static_cast<std::uint32_t>(kHeaderBytes);
  }
};

/// Reads a header of exactly kHeaderBytes. MALFORMED_REQUEST or PAYLOAD_TOO_LARGE: what follows
/// cannot be understood.
Result<FrameHeader> DecodeHeader(std::string_view bytes);

/// Starts a frame at the end of `out`; `FinishFrame` fills in its length.
void StartFrame(ByteBuffer& out, FrameType type, std::uint64_t request_id,
                std::uint8_t descriptors = 0);
/// `out` holds one frame that StartFrame began. PAYLOAD_TOO_LARGE above kFrameBytesMax, and the
/// failure of the buffer.
Status FinishFrame(ByteBuffer& out);

/// Of a client, and the first frame of a connection.
struct Hello {
  std::uint16_t version_min = kVersion;
  std::uint16_t version_max = kVersion;
};
Result<Hello> DecodeHello(std::string_view body);
void EncodeHello(ByteBuffer& out, std::uint64_t request_id, const Hello& hello);

/// What Core says of itself.
struct HelloOk {
  std::uint16_t version = kVersion;
  std::uint16_t requests_max = 0;  ///< in flight on one connection
  std::uint32_t frame_bytes_max = kFrameBytesMax;
  std::uint32_t regions_max = 0;  ///< mapped by one connection
  std::uint64_t region_bytes_max = 0;
  std::string_view server_version;
};
Result<HelloOk> DecodeHelloOk(std::string_view body);
void EncodeHelloOk(ByteBuffer& out, std::uint64_t request_id, const HelloOk& hello);

/// A failure. `code` is one of the 17 gRPC codes, `reason` finer (docs/API-REFERENCE.md).
struct Error {
  std::uint16_t code = 0;
  std::uint32_t retry_after_ms = 0;  ///< 0: no use in trying again unchanged
  std::string_view reason;
  std::string_view field;
  std::string_view message;
};
Result<Error> DecodeError(std::string_view body);
void EncodeError(ByteBuffer& out, std::uint64_t request_id, const Error& error);
void EncodeError(ByteBuffer& out, std::uint64_t request_id, const Status& status);

struct MapRegion {
  std::uint32_t region_id = 0;
  Access access = Access::kRead;
};
Result<MapRegion> DecodeMapRegion(std::string_view body);
Result<std::uint32_t> DecodeUnmapRegion(std::string_view body);

struct RegionReply {
  std::uint32_t region_id = 0;
  /// Whether tensors are run where they lie, or copied first.
  bool in_place = false;
  std::uint64_t size_bytes = 0;
};
Result<RegionReply> DecodeRegionReply(std::string_view body);
void EncodeRegionReply(ByteBuffer& out, std::uint64_t request_id, const RegionReply& reply);

/// The form of a ring; also its answer.
struct RingForm {
  std::uint32_t slots = 0;       ///< of each direction; a power of two
  std::uint32_t slot_bytes = 0;  ///< a multiple of 64
};
Result<RingForm> DecodeRingForm(std::string_view body);
void EncodeRingForm(ByteBuffer& out, FrameType type, std::uint64_t request_id, RingForm form);

}  // namespace mlos::api::ipc::wire
