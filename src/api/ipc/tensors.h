// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <vector>

#include "api/ipc/request.h"
#include "api/ipc/wire/inference.h"
#include "catalog/served_model.h"
#include "engine/inference.h"

namespace mlos::api::ipc {

/// Regions that an inference reads or writes, kept while it does.
using RegionHold = std::vector<std::shared_ptr<const memory::Region>>;

/// Bytes of `inputs` that have to be copied before they may be read.
Result<std::uint64_t> BytesToCopy(const Session& session,
                                  const std::vector<wire::TensorEntry>& inputs);

/// Makes tensors of `inputs`: over the frame or the region they lie in, or over a copy where the
/// client could change them meanwhile. Strings are always copied. INVALID_FIELD, SHAPE_MISMATCH,
/// VALUE_OUT_OF_RANGE (a bool that is neither 0 nor 1), OVERLOADED, with the input as field.
Result<std::vector<tensor::NamedTensor>> MakeInputs(Request& request,
                                                    std::vector<wire::TensorEntry> inputs,
                                                    RegionHold& hold);

/// Where one output shall go; null region: into the answer.
struct OutputPlace {
  std::shared_ptr<const memory::Region> region;
  wire::TensorEntry entry;
};

/// Looks up and checks where the `wanted` outputs shall go. INVALID_FIELD with the output as field.
Result<std::vector<OutputPlace>> FindPlaces(const Session& session,
                                            const std::vector<wire::TensorEntry>& wanted);

/// The answer, with outputs in it or written to their places, of which there are none or one for
/// each output. PAYLOAD_TOO_LARGE with the output as field where a place is too small.
Result<wire::ByteBuffer> MakeResult(Request& request, const catalog::ServedModel& model,
                                    const engine::InferenceResponse& response,
                                    const std::vector<OutputPlace>& places);

}  // namespace mlos::api::ipc
