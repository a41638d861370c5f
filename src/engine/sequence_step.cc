// SPDX-License-Identifier: MIT
#include "engine/sequence_step.h"

#include <utility>

#include "base/text.h"

namespace mlos::engine {

Result<std::unique_ptr<SequenceStep>> MakeSequenceStep(std::string id, bool start, bool end) {
  if (id.empty() || id == "0") {
    if (!start && !end) return std::unique_ptr<SequenceStep>();
    return Status(Reason::kInvalidField,
                  "only a request of a sequence starts or ends it; it has a sequence_id that is "
                  "neither 0 nor empty")
        .WithField(start ? "sequence_start" : "sequence_end");
  }
  if (id.size() > kSequenceIdBytesMax || !IsValidUtf8(id)) {
    return Status(Reason::kInvalidField, "the id of a sequence has at most " +
                                             std::to_string(kSequenceIdBytesMax) +
                                             " bytes of UTF-8 text")
        .WithField("sequence_id");
  }
  return std::make_unique<SequenceStep>(SequenceStep{std::move(id), 0, start, end});
}

}  // namespace mlos::engine
