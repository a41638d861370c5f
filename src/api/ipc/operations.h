// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <span>

#include "api/ipc/operation.h"
#include "api/ipc/request.h"
#include "base/result.h"

namespace mlos::api::ipc {

/// All there are.
std::span<const Operation> Operations();

/// Acts on a frame behind the hello. A failure is a breach of the protocol, after which the
/// connection ends; everything else is answered.
Status Receive(Origin origin, socket::Frame frame);

// What the operations do (document_handlers.cc, region_handlers.cc, inference_handler.cc).
Result<wire::ByteBuffer> Health(Request& request);
Result<wire::ByteBuffer> Readiness(Request& request);
Result<wire::ByteBuffer> ListModels(Request& request);
Result<wire::ByteBuffer> GetModel(Request& request);
Result<wire::ByteBuffer> LoadModel(Request& request);
Result<wire::ByteBuffer> UnloadModel(Request& request);
Result<wire::ByteBuffer> RemoveModel(Request& request);
Result<wire::ByteBuffer> RegisterPlugin(Request& request);
Result<wire::ByteBuffer> ListPlugins(Request& request);
Result<wire::ByteBuffer> GetPlugin(Request& request);
Result<wire::ByteBuffer> RemovePlugin(Request& request);
Result<wire::ByteBuffer> MapRegion(Request& request);
Result<wire::ByteBuffer> UnmapRegion(Request& request);
Result<wire::ByteBuffer> AttachRing(Request& request);
/// Answers when the model is registered.
void RegisterModel(const std::shared_ptr<Request>& request);
/// Answers when the model has.
void Infer(const std::shared_ptr<Request>& request);

}  // namespace mlos::api::ipc
