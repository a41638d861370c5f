// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <vector>

#include "base/mutex.h"
#include "engine/engine.h"

namespace mlos::plugin {

/// A run whose answers are kept, and counted in its credit as a door would. Thread-safe.
class TestRun : public engine::Run {
 public:
  explicit TestRun(engine::InferenceRequest request) : request_(std::move(request)) {}

  /// Each response takes so many bytes of the request's credit.
  void set_bytes_each(std::int64_t bytes) { bytes_each_ = bytes; }
  /// Wants no more after so many.
  void set_wanted(std::size_t count) { wanted_ = count; }
  /// Called by End, on the engine's thread.
  void set_on_end(std::function<void()> on_end) { on_end_ = std::move(on_end); }

  const engine::InferenceRequest& request() const override { return request_; }
  engine::Stop& stop() override { return stop_; }
  Taken Respond(engine::InferenceResponse response) override;
  void WillFail(const Status& status) override;
  void End(Status status) override;

  /// Submits it alone.
  TestRun& On(engine::LoadedModel& model);
  /// Waits for the end, and gives its status; a run that does not end in a minute fails the test.
  Status Ended();
  /// Waits until there are so many responses, or a minute is over.
  bool HasResponses(std::size_t count);
  bool is_open();
  std::size_t response_count();
  std::optional<Status> will_fail();
  /// "number" of each response so far.
  std::vector<std::int64_t> Numbers();
  /// The responses so far; they are the caller's.
  std::vector<engine::InferenceResponse> Take();

 private:
  bool Await(const std::function<bool()>& condition) REQUIRES(mutex_);

  const engine::InferenceRequest request_;
  engine::Stop stop_;
  std::int64_t bytes_each_ = 0;
  std::size_t wanted_ = SIZE_MAX;
  std::function<void()> on_end_;
  Mutex mutex_;
  CondVar changed_;
  std::vector<engine::InferenceResponse> responses_ GUARDED_BY(mutex_);
  std::optional<Status> will_fail_ GUARDED_BY(mutex_);
  std::optional<Status> end_ GUARDED_BY(mutex_);
};

/// Runs `request` and waits for its only answer, as a call that takes one response does.
Result<engine::InferenceResponse> Answer(engine::LoadedModel& model,
                                         engine::InferenceRequest request);

/// How a run on this thread ends that is told to stop after `delay`.
Status Stopped(engine::LoadedModel& model, const engine::InferenceRequest& request,
               std::chrono::milliseconds delay);

}  // namespace mlos::plugin
