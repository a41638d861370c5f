// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "api/ipc/request.h"
#include "api/ipc/wire/inference.h"
#include "engine/inference.h"
#include "runtime/ticket.h"

namespace mlos::api::ipc {

/// Where one input lies. Keeps the region mapped.
struct InputPlace {
  std::shared_ptr<const memory::Region> region;  ///< null: in the frame
  char* data = nullptr;
  /// Nobody can change it any more.
  bool constant = true;
  std::uint64_t copy_bytes = 0;  ///< that are copied before they may be read
};

/// Finds the inputs of `request`, in their order. INVALID_FIELD with the input as field.
Result<std::vector<InputPlace>> FindInputs(Request& request,
                                           const std::vector<wire::TensorEntry>& inputs);
std::uint64_t BytesToCopy(const std::vector<InputPlace>& inputs);

/// Makes tensors of `inputs`, which lie at `places`, for the model of `ticket`: over those, or over
/// a copy where the client could change them and the model must not see that. Strings are always
/// copied. Takes the shapes. SHAPE_MISMATCH, VALUE_OUT_OF_RANGE (a bool that is neither 0 nor 1),
/// OVERLOADED, with the input as field.
Status MakeInputs(Request& request, const runtime::Ticket& ticket,
                  std::vector<wire::TensorEntry>& inputs, const std::vector<InputPlace>& places,
                  engine::InferenceRequest& made);

/// Where one output shall go; null region: into the answer.
struct OutputPlace {
  std::shared_ptr<const memory::Region> region;
  wire::TensorEntry entry;
};

/// Looks up and checks where the `wanted` outputs shall go. INVALID_FIELD with the output as field.
Result<std::vector<OutputPlace>> FindOutputs(const Session& session,
                                             const std::vector<wire::TensorEntry>& wanted);

/// The answer, with outputs in it or written to their places, of which there are none or one for
/// each output. PAYLOAD_TOO_LARGE with the output as field where a place is too small.
Result<wire::ByteBuffer> MakeResult(Request& request, std::string_view model_version,
                                    const engine::InferenceResponse& response,
                                    const std::vector<OutputPlace>& places);

}  // namespace mlos::api::ipc
