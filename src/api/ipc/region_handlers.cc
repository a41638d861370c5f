// SPDX-License-Identifier: MIT
#include <string>
#include <utility>

#include "api/ipc/operations.h"
#include "api/ipc/ring_channel.h"
#include "api/ipc/wire/frame.h"

namespace mlos::api::ipc {
namespace {

// 1024 slots of 1 MiB, both ways, and more than that for a reason of the client's own.
constexpr std::uint64_t kRingBytesMax = 4ULL << 30;

wire::ByteBuffer Reply(Request& request, const wire::RegionReply& reply) {
  wire::ByteBuffer frame = request.NewFrame();
  wire::EncodeRegionReply(frame, request.id(), reply);
  return frame;
}

}  // namespace

Result<wire::ByteBuffer> MapRegion(Request& request) {
  const wire::MapRegion map = MLOS_TRY(wire::DecodeMapRegion(request.body()));
  return Reply(request, MLOS_TRY(request.session().MapRegion(map, request.TakeDescriptor())));
}

Result<wire::ByteBuffer> UnmapRegion(Request& request) {
  const std::uint32_t region_id = MLOS_TRY(wire::DecodeUnmapRegion(request.body()));
  return Reply(request, MLOS_TRY(request.session().UnmapRegion(region_id)));
}

Result<wire::ByteBuffer> AttachRing(Request& request) {
  const wire::RingForm form = MLOS_TRY(wire::DecodeRingForm(request.body()));
  memory::Mapping mapping =
      MLOS_TRY(memory::Mapping::Create(request.TakeDescriptor(), true, kRingBytesMax));
  memory::Ring ring = MLOS_TRY(memory::Ring::Create(std::move(mapping), form));
  Service& service = request.service();
  if (!service.totals()->rings.Take(request.session().peer().uid)) {
    return Status(Reason::kOverloaded, "this user has its share of the " +
                                           std::to_string(service.options().rings_max) +
                                           " rings that Core serves; use the socket");
  }
  const auto channel = std::make_shared<RingChannel>(request.origin(), std::move(ring));
  // Started first: what is attached can be stopped at any time.
  channel->Start();
  const Status attached = request.session().Attach(channel);
  if (!attached.ok()) {
    channel->Stop();
    return attached;
  }
  wire::ByteBuffer frame = request.NewFrame();
  wire::EncodeRingForm(frame, wire::FrameType::kRing, request.id(), form);
  return frame;
}

}  // namespace mlos::api::ipc
