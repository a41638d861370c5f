// SPDX-License-Identifier: MIT
#include "api/ipc/operations.h"

#include <algorithm>
#include <string>
#include <utility>

namespace mlos::api::ipc {
namespace {

using wire::FrameType;
using Do = door::Operation;

/// An operation that answers before it returns.
template <Result<wire::ByteBuffer> (*kHandle)(Request&)>
void Answer(const std::shared_ptr<Request>& request) {
  request->Finish(kHandle(*request));
}

constexpr Operation kOperations[] = {
    {FrameType::kInfer, "infer", Do::kInfer, 0, &Infer},
    {FrameType::kHealth, "health", Do::kReadHealth, 0, &Answer<Health>},
    {FrameType::kReadiness, "readiness", Do::kReadHealth, 0, &Answer<Readiness>},
    {FrameType::kRegisterModel, "register_model", Do::kRegisterModel, 0, &RegisterModel},
    {FrameType::kListModels, "list_models", Do::kListModels, 0, &Answer<ListModels>},
    {FrameType::kGetModel, "get_model", Do::kReadModel, 0, &Answer<GetModel>},
    {FrameType::kLoadModel, "load_model", Do::kLoadModel, 0, &Answer<LoadModel>},
    {FrameType::kUnloadModel, "unload_model", Do::kUnloadModel, 0, &Answer<UnloadModel>},
    {FrameType::kRemoveModel, "remove_model", Do::kRemoveModel, 0, &Answer<RemoveModel>},
    {FrameType::kRegisterPlugin, "register_plugin", Do::kRegisterPlugin, 0,
     &Answer<RegisterPlugin>},
    {FrameType::kListPlugins, "list_plugins", Do::kListPlugins, 0, &Answer<ListPlugins>},
    {FrameType::kGetPlugin, "get_plugin", Do::kReadPlugin, 0, &Answer<GetPlugin>},
    {FrameType::kRemovePlugin, "remove_plugin", Do::kRemovePlugin, 0, &Answer<RemovePlugin>},
    {FrameType::kMapRegion, "map_region", Do::kShareMemory, 1, &Answer<MapRegion>},
    {FrameType::kUnmapRegion, "unmap_region", Do::kShareMemory, 0, &Answer<UnmapRegion>},
    {FrameType::kAttachRing, "attach_ring", Do::kShareMemory, 1, &Answer<AttachRing>},
    // The last one: every other type.
    {FrameType{}, "refused", Do::kReadInterface, 0, nullptr},
};

const Operation& Find(FrameType type) {
  const auto* const last = std::end(kOperations) - 1;
  return *std::find_if(std::begin(kOperations), last,
                       [type](const Operation& row) { return row.type == type; });
}

Status Check(const Operation& operation, const socket::Frame& frame) {
  if (operation.handle == nullptr) {
    return Status(Reason::kUnimplemented,
                  "there is no frame of type " +
                      std::to_string(static_cast<unsigned>(frame.header.type)))
        .WithField("type");
  }
  if (frame.descriptors.size() != operation.descriptors) {
    return Status(Reason::kInvalidField,
                  std::string(operation.name) + " brings " + std::to_string(operation.descriptors) +
                      " descriptors, not " + std::to_string(frame.descriptors.size()))
        .WithField("descriptor");
  }
  return frame.refusal;
}

}  // namespace

std::span<const Operation> Operations() { return kOperations; }

Status Receive(Origin origin, socket::Frame frame) {
  const std::uint64_t id = frame.header.request_id;
  if (id == 0) return {Reason::kMalformedRequest, "a request's number is not 0"};
  if (frame.header.type == FrameType::kCancel) {
    origin.session->Cancel(id);
    return OkStatus();
  }
  if (frame.header.type == FrameType::kHello) {
    return {Reason::kMalformedRequest, "there is one hello, at the beginning"};
  }
  const Operation& operation = Find(frame.header.type);
  const auto request = std::make_shared<Request>(std::move(origin), operation, std::move(frame));
  if (Status begun = request->Begin(); !begun.ok()) {
    if (begun.reason() == Reason::kConflict) return begun;
    // The client is told of the end by its socket.
    if (begun.reason() == Reason::kCancelled) return OkStatus();
    request->Refuse(begun);
  } else if (Status checked = Check(operation, request->frame()); !checked.ok()) {
    request->Finish(std::move(checked));
  } else {
    request->service().lobby().Run({.caller = request->caller(),
                                    .operation = operation.operation,
                                    .model = {},
                                    .deadline = request->DeadlineOf(0)},
                                   [request](Status turn) {
                                     if (!turn.ok()) return request->Finish(std::move(turn));
                                     request->operation().handle(request);
                                   });
  }
  return OkStatus();
}

}  // namespace mlos::api::ipc
