// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "engine/engine.h"
#include "engine/inference.h"
#include "runtime/caller.h"
#include "runtime/response_sink.h"

namespace mlos::catalog {
class ServedModel;
}

namespace mlos::runtime {

class Inferences;
class Runtime;

/// How the inputs of a request are held against the model's schema; see runtime/fit.h.
enum class Fit : std::uint8_t {
  kExact,   ///< shapes are as the caller says: CheckRequest
  kFitted,  ///< flat or unbatched data is given the declared shape: FitRequest
};

/// The right to ask a model once: what a caller gets who was let in to it. It holds the model,
/// which stays in memory until the ticket and the answer are gone. Thread-compatible.
class Ticket {
 public:
  const std::string& model_id() const;
  const std::string& model_version() const;
  const engine::ModelSchema& schema() const;
  /// Whether Stream may give several responses.
  bool streams() const;
  /// Whether the input may be written to while the model reads it; see package::ModelFacts.
  bool MayChange(std::string_view input) const;

  /// Counts a request that the door refuses before it is run: malformed, or of the wrong shape.
  void Refused(const Status& why) const;

  /// Runs `request`. A short run of an idle model happens on the calling thread, others on the
  /// compute pool; `done` is called exactly once, before this returns or later on another thread.
  /// Fails as Fit says (and counts it), as LoadedModel says, and with OVERLOADED if too many wait,
  /// DEADLINE_EXCEEDED, CANCELLED, DRAINING. A request of a sequence runs after those before it.
  void Run(engine::InferenceRequest request, Fit fit, Done done);
  /// Runs `request` and gives every response to `sink`, in order, as it comes.
  void Stream(engine::InferenceRequest request, Fit fit, std::shared_ptr<ResponseSink> sink);

 private:
  friend class Runtime;
  Ticket(Inferences& inferences, std::shared_ptr<catalog::ServedModel> model, const Caller& caller);
  Status FitTo(engine::InferenceRequest& request, Fit fit) const;

  Inferences* inferences_;
  std::shared_ptr<catalog::ServedModel> model_;
  Caller caller_;
};

}  // namespace mlos::runtime
