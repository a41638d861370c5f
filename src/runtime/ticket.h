// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "engine/engine.h"
#include "engine/inference.h"

namespace mlos::catalog {
class ServedModel;
}

namespace mlos::runtime {

class Runtime;

/// How the inputs of a request are held against the model's schema; see runtime/fit.h.
enum class Fit : std::uint8_t {
  kExact,   ///< shapes are as the caller says: CheckRequest
  kFitted,  ///< flat or unbatched data is given the declared shape: FitRequest
};

/// Where the responses of a request go. Its calls come one at a time, on any thread.
class ResponseSink {
 public:
  ResponseSink() = default;
  ResponseSink(const ResponseSink&) = delete;
  ResponseSink& operator=(const ResponseSink&) = delete;
  virtual ~ResponseSink() = default;

  /// The next response. What waits for the caller because of it is held in the request's credit.
  /// Not OK if no more are wanted: the request ends with that.
  virtual Status OnResponse(engine::InferenceResponse response) = 0;
  /// There are no more; once, the last call.
  virtual void OnEnd(Status status) = 0;
};

/// A sink of two functions.
std::shared_ptr<ResponseSink> SinkOf(std::function<void(engine::InferenceResponse)> on_response,
                                     std::function<void(Status)> on_end);

/// The right to ask a model once: what a caller gets who was let in to it. It holds the model,
/// which stays in memory until the ticket and the answer are gone. Thread-compatible.
class Ticket {
 public:
  const std::string& model_id() const;
  const std::string& model_version() const;
  const engine::ModelSchema& schema() const;
  /// Whether Stream may give several responses.
  bool streams() const;

  /// Counts a request that the door refuses before it is run: malformed, or of the wrong shape.
  void Refused(const Status& why) const;

  using Done = std::function<void(Result<engine::InferenceResponse>)>;
  /// Runs `request`. A short run of an idle model happens on the calling thread, others on the
  /// compute pool; `done` is called exactly once, before this returns or later on another thread.
  /// Fails as Fit says (and counts it), as LoadedModel says, and with OVERLOADED if too many wait,
  /// DEADLINE_EXCEEDED, CANCELLED, DRAINING. A request of a sequence runs after those before it.
  void Run(engine::InferenceRequest request, Fit fit, Done done);
  /// Runs `request` and gives every response to `sink`, in order, as it comes.
  void Stream(engine::InferenceRequest request, Fit fit, std::shared_ptr<ResponseSink> sink);

 private:
  friend class Runtime;
  Ticket(Runtime& runtime, std::shared_ptr<catalog::ServedModel> model);
  Status FitTo(engine::InferenceRequest& request, Fit fit) const;

  Runtime* runtime_;
  std::shared_ptr<catalog::ServedModel> model_;
};

}  // namespace mlos::runtime
