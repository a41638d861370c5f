// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>

#include "base/result.h"
#include "engine/inference.h"

namespace mlos::runtime {

/// Takes the outcome of a request with one answer.
using Done = std::function<void(Result<engine::InferenceResponse>)>;

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

}  // namespace mlos::runtime
