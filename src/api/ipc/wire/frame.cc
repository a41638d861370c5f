// SPDX-License-Identifier: MIT
#include "api/ipc/wire/frame.h"

#include <string>

namespace mlos::api::ipc::wire {
namespace {

// A second, as the doors over TCP say.
constexpr std::uint32_t kRetryAfterMs = 1000;
constexpr std::size_t kMessageBytesMax = 16 << 10;
constexpr std::uint32_t kRingSlotsMax = 1024;
constexpr std::uint32_t kSlotBytesMin = 1024;
constexpr std::uint32_t kSlotBytesMax = 1 << 20;

Status Ended(const FieldReader& reader) {
  return reader.left() == 0 ? OkStatus() : Malformed("the frame is longer than what it announces");
}

bool RetryLater(StatusCode code) {
  return code == StatusCode::kResourceExhausted || code == StatusCode::kUnavailable;
}

}  // namespace

Result<FrameHeader> DecodeHeader(std::string_view bytes) {
  FieldReader reader(bytes);
  FrameHeader header;
  header.frame_bytes = MLOS_TRY(reader.Read<std::uint32_t>());
  header.type = static_cast<FrameType>(MLOS_TRY(reader.Read<std::uint8_t>()));
  header.descriptors = MLOS_TRY(reader.Read<std::uint8_t>());
  const auto reserved = MLOS_TRY(reader.Read<std::uint16_t>());
  header.request_id = MLOS_TRY(reader.Read<std::uint64_t>());
  if (header.frame_bytes < kHeaderBytes) {
    return Malformed("a frame has at least the 16 bytes of its header");
  }
  if (header.frame_bytes > kFrameBytesMax) {
    return Status(Reason::kPayloadTooLarge,
                  "a frame of " + std::to_string(header.frame_bytes) + " bytes is above the " +
                      std::to_string(kFrameBytesMax) + " allowed; large tensors go in regions");
  }
  if (reserved != 0) return Malformed("the reserved bytes of a header are zeros");
  if (header.descriptors > kDescriptorsMax) {
    return Malformed("at most " + std::to_string(kDescriptorsMax) +
                     " descriptors travel with a frame");
  }
  return header;
}

void StartFrame(ByteBuffer& out, FrameType type, std::uint64_t request_id,
                std::uint8_t descriptors) {
  FieldWriter writer(out);
  writer.Write(std::uint32_t{0});
  writer.Write(static_cast<std::uint8_t>(type));
  writer.Write(descriptors);
  writer.Write(std::uint16_t{0});
  writer.Write(request_id);
}

Status FinishFrame(ByteBuffer& out) {
  if (!out.status().ok()) return out.status();
  if (out.size() > kFrameBytesMax) {
    return {Reason::kPayloadTooLarge, "the answer takes a frame of " + std::to_string(out.size()) +
                                          " bytes, above the " + std::to_string(kFrameBytesMax) +
                                          " allowed; name an output region for large outputs"};
  }
  const auto frame_bytes = static_cast<std::uint32_t>(out.size());
  std::memcpy(out.data(), &frame_bytes, sizeof(frame_bytes));
  return OkStatus();
}

Result<Hello> DecodeHello(std::string_view body) {
  FieldReader reader(body);
  Hello hello;
  const auto magic = MLOS_TRY(reader.Read<std::uint32_t>());
  hello.version_min = MLOS_TRY(reader.Read<std::uint16_t>());
  hello.version_max = MLOS_TRY(reader.Read<std::uint16_t>());
  const auto reserved = MLOS_TRY(reader.Read<std::uint64_t>());
  MLOS_TRY(Ended(reader));
  if (magic != kMagic || reserved != 0) return Malformed("this is no hello of the protocol");
  if (hello.version_min > kVersion || hello.version_max < kVersion) {
    return Status(Reason::kUnimplemented, "Core speaks version " + std::to_string(kVersion) +
                                              " of the protocol, the client " +
                                              std::to_string(hello.version_min) + " to " +
                                              std::to_string(hello.version_max));
  }
  return hello;
}

void EncodeHello(ByteBuffer& out, std::uint64_t request_id, const Hello& hello) {
  StartFrame(out, FrameType::kHello, request_id);
  FieldWriter writer(out);
  writer.Write(kMagic);
  writer.Write(hello.version_min);
  writer.Write(hello.version_max);
  writer.Write(std::uint64_t{0});
}

Result<HelloOk> DecodeHelloOk(std::string_view body) {
  FieldReader reader(body);
  HelloOk hello;
  if (MLOS_TRY(reader.Read<std::uint32_t>()) != kMagic) return Malformed("this is no Core");
  hello.version = MLOS_TRY(reader.Read<std::uint16_t>());
  hello.requests_max = MLOS_TRY(reader.Read<std::uint16_t>());
  hello.frame_bytes_max = MLOS_TRY(reader.Read<std::uint32_t>());
  hello.regions_max = MLOS_TRY(reader.Read<std::uint32_t>());
  hello.region_bytes_max = MLOS_TRY(reader.Read<std::uint64_t>());
  const auto version_bytes = MLOS_TRY(reader.Read<std::uint64_t>());
  if (version_bytes > kMessageBytesMax) return Malformed("a version of that length is none");
  hello.server_version = MLOS_TRY(reader.Text(version_bytes));
  MLOS_TRY(Ended(reader));
  return hello;
}

void EncodeHelloOk(ByteBuffer& out, std::uint64_t request_id, const HelloOk& hello) {
  StartFrame(out, FrameType::kHelloOk, request_id);
  FieldWriter writer(out);
  writer.Write(kMagic);
  writer.Write(hello.version);
  writer.Write(hello.requests_max);
  writer.Write(hello.frame_bytes_max);
  writer.Write(hello.regions_max);
  writer.Write(hello.region_bytes_max);
  writer.Write(std::uint64_t{hello.server_version.size()});
  writer.Text(hello.server_version);
}

Result<Error> DecodeError(std::string_view body) {
  FieldReader reader(body);
  Error error;
  error.code = MLOS_TRY(reader.Read<std::uint16_t>());
  const auto reason_bytes = MLOS_TRY(reader.Read<std::uint16_t>());
  const auto field_bytes = MLOS_TRY(reader.Read<std::uint16_t>());
  const auto message_bytes = MLOS_TRY(reader.Read<std::uint16_t>());
  error.retry_after_ms = MLOS_TRY(reader.Read<std::uint32_t>());
  MLOS_TRY(reader.Read<std::uint32_t>());
  error.reason = MLOS_TRY(reader.Text(reason_bytes));
  error.field = MLOS_TRY(reader.Text(field_bytes));
  error.message = MLOS_TRY(reader.Text(message_bytes));
  MLOS_TRY(Ended(reader));
  return error;
}

void EncodeError(ByteBuffer& out, std::uint64_t request_id, const Error& error) {
  StartFrame(out, FrameType::kError, request_id);
  FieldWriter writer(out);
  writer.Write(error.code);
  writer.Write(static_cast<std::uint16_t>(error.reason.size()));
  writer.Write(static_cast<std::uint16_t>(error.field.size()));
  writer.Write(static_cast<std::uint16_t>(error.message.size()));
  writer.Write(error.retry_after_ms);
  writer.Write(std::uint32_t{0});
  writer.Text(error.reason);
  writer.Text(error.field);
  writer.Text(error.message);
}

void EncodeError(ByteBuffer& out, std::uint64_t request_id, const Status& status) {
  EncodeError(out, request_id,
              Error{.code = static_cast<std::uint16_t>(status.code()),
                    .retry_after_ms = RetryLater(status.code()) ? kRetryAfterMs : 0,
                    .reason = ToString(status.reason()),
                    .field = status.field().substr(0, kMessageBytesMax),
                    .message = status.message().substr(0, kMessageBytesMax)});
}

Result<MapRegion> DecodeMapRegion(std::string_view body) {
  FieldReader reader(body);
  MapRegion map;
  map.region_id = MLOS_TRY(reader.Read<std::uint32_t>());
  const auto access = MLOS_TRY(reader.Read<std::uint32_t>());
  MLOS_TRY(Ended(reader));
  if (map.region_id == kInline) {
    return Status(Reason::kInvalidField, "a region's number is not 0").WithField("region_id");
  }
  map.access = static_cast<Access>(access);
  if (map.access != Access::kRead && map.access != Access::kWrite) {
    return Status(Reason::kInvalidField, "a region is for inputs (1) or for outputs (2)")
        .WithField("access");
  }
  return map;
}

Result<std::uint32_t> DecodeUnmapRegion(std::string_view body) {
  FieldReader reader(body);
  const auto region_id = MLOS_TRY(reader.Read<std::uint32_t>());
  MLOS_TRY(reader.Read<std::uint32_t>());
  MLOS_TRY(Ended(reader));
  return region_id;
}

Result<RegionReply> DecodeRegionReply(std::string_view body) {
  FieldReader reader(body);
  RegionReply reply;
  reply.region_id = MLOS_TRY(reader.Read<std::uint32_t>());
  reply.in_place = MLOS_TRY(reader.Read<std::uint32_t>()) != 0;
  reply.size_bytes = MLOS_TRY(reader.Read<std::uint64_t>());
  MLOS_TRY(Ended(reader));
  return reply;
}

void EncodeRegionReply(ByteBuffer& out, std::uint64_t request_id, const RegionReply& reply) {
  StartFrame(out, FrameType::kRegion, request_id);
  FieldWriter writer(out);
  writer.Write(reply.region_id);
  writer.Write(std::uint32_t{reply.in_place});
  writer.Write(reply.size_bytes);
}

Result<RingForm> DecodeRingForm(std::string_view body) {
  FieldReader reader(body);
  RingForm form;
  form.slots = MLOS_TRY(reader.Read<std::uint32_t>());
  form.slot_bytes = MLOS_TRY(reader.Read<std::uint32_t>());
  MLOS_TRY(Ended(reader));
  const bool power_of_two = form.slots != 0 && (form.slots & (form.slots - 1)) == 0;
  if (!power_of_two || form.slots > kRingSlotsMax) {
    return Status(Reason::kInvalidField, "a ring has 1 to 1024 slots, a power of two")
        .WithField("slots");
  }
  if (form.slot_bytes < kSlotBytesMin || form.slot_bytes > kSlotBytesMax ||
      form.slot_bytes % kTensorAlignment != 0) {
    return Status(Reason::kInvalidField, "a slot has 1 KiB to 1 MiB, a multiple of 64")
        .WithField("slot_bytes");
  }
  return form;
}

void EncodeRingForm(ByteBuffer& out, FrameType type, std::uint64_t request_id, RingForm form) {
  StartFrame(out, type, request_id, type == FrameType::kAttachRing ? 1 : 0);
  FieldWriter writer(out);
  writer.Write(form.slots);
  writer.Write(form.slot_bytes);
}

}  // namespace mlos::api::ipc::wire
