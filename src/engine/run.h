// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "base/status.h"
#include "engine/inference.h"
#include "engine/stop.h"

namespace mlos::engine {

/// A request that an engine has taken on: what is asked, and where the answer goes. The engine
/// gives responses with Respond and is done with it by End, from any thread, one call at a time;
/// the run is gone once End returns. Whoever asked may have been answered long before that, because
/// the deadline came or the caller left: the run is told to stop then, and its request stays valid
/// until End.
class Run {
 public:
  enum class Taken : std::uint8_t {
    kGoOn,   ///< taken; the next one may follow
    kPause,  ///< taken, and the caller has more unread than it may: wait for its credit
    kDrop,   ///< not wanted any more: stop, and End
  };

  Run() = default;
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;
  virtual ~Run() = default;

  virtual const InferenceRequest& request() const = 0;
  /// Requested when the run should end early.
  virtual Stop& stop() = 0;
  /// The next response, in order. Never blocks.
  virtual Taken Respond(InferenceResponse response) = 0;
  /// The run will end with `status`, whatever the engine still does until End: the caller can be
  /// told now.
  virtual void WillFail(const Status& /*status*/) {}
  /// There are no more: OK, or why the run failed. Once, the last call.
  virtual void End(Status status) = 0;
};

}  // namespace mlos::engine
