// SPDX-License-Identifier: MIT
#pragma once

#include "mlos/smi_spec.h"
#include "onnx/engine.h"
#include "onnx/session.h"

namespace mlos::onnx {

/// Runs `session` once on the calling thread, over the request's own memory. Outputs are written
/// where the host has allocated them, and otherwise handed over in ONNX Runtime's memory. Throws
/// Error: INVALID_PARAM for data that the graph cannot work with, OUT_OF_MEMORY, UNSUPPORTED,
/// CANCELLED for a run that was stopped; nothing has been handed over then.
void Run(const Engine& engine, Session& session, const smi_request_t& request,
         smi_response_t& response);

}  // namespace mlos::onnx
