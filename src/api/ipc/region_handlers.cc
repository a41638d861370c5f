// SPDX-License-Identifier: MIT
#include <utility>

#include "api/ipc/operations.h"
#include "api/ipc/wire/frame.h"

namespace mlos::api::ipc {
namespace {

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

Result<wire::ByteBuffer> AttachRing(Request&) {
  return Status(Reason::kUnimplemented, "rings are not served");
}

}  // namespace mlos::api::ipc
