// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"

namespace mlos::engine {

/// The place of a request in a sequence: requests that follow each other, each of which goes on
/// with the state that the one before it left.
struct SequenceStep {
  std::string id;
  /// Of the sequence among all that are under way, from 1; 0 before the scheduler has given it one.
  std::uint64_t number = 0;
  bool start = false;  ///< begins anew, from zeros
  bool end = false;    ///< the last one: its state is not needed any more
};

inline constexpr std::size_t kSequenceIdBytesMax = 128;

/// The step that a caller asks for; null where `id` is "" or "0", for a request that stands alone.
/// INVALID_FIELD with field sequence_id for an id that is too long or no UTF-8 text, sequence_start
/// or sequence_end for a flag without an id.
Result<std::unique_ptr<SequenceStep>> MakeSequenceStep(std::string id, bool start, bool end);

}  // namespace mlos::engine
