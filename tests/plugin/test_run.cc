// SPDX-License-Identifier: MIT
#include "tests/plugin/test_run.h"

#include <gtest/gtest.h>

#include <thread>
#include <utility>

namespace mlos::plugin {

engine::Run::Taken TestRun::Respond(engine::InferenceResponse response) {
  const MutexLock lock(mutex_);
  if (responses_.size() >= wanted_) return Taken::kDrop;
  responses_.push_back(std::move(response));
  changed_.NotifyAll();
  if (responses_.size() >= wanted_) return Taken::kDrop;
  if (request_.credit == nullptr) return Taken::kGoOn;
  request_.credit->Hold(bytes_each_);
  return request_.credit->has_room() ? Taken::kGoOn : Taken::kPause;
}

void TestRun::WillFail(const Status& status) {
  const MutexLock lock(mutex_);
  will_fail_ = status;
}

void TestRun::End(Status status) {
  if (on_end_) on_end_();
  const MutexLock lock(mutex_);
  end_ = std::move(status);
  changed_.NotifyAll();
}

TestRun& TestRun::On(engine::LoadedModel& model) {
  engine::Run* run = this;
  model.Submit({&run, 1});
  return *this;
}

bool TestRun::Await(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!condition()) {
    if (!changed_.WaitUntil(mutex_, deadline)) return condition();
  }
  return true;
}

Status TestRun::Ended() {
  const MutexLock lock(mutex_);
  if (!Await([&] { return end_.has_value(); })) return {Reason::kInternal, "the run has no end"};
  return *end_;
}

bool TestRun::HasResponses(std::size_t count) {
  const MutexLock lock(mutex_);
  return Await([&] { return responses_.size() >= count; });
}

bool TestRun::is_open() {
  const MutexLock lock(mutex_);
  return !end_.has_value();
}

std::size_t TestRun::response_count() {
  const MutexLock lock(mutex_);
  return responses_.size();
}

std::optional<Status> TestRun::will_fail() {
  const MutexLock lock(mutex_);
  return will_fail_;
}

std::vector<std::int64_t> TestRun::Numbers() {
  const MutexLock lock(mutex_);
  std::vector<std::int64_t> numbers;
  for (const engine::InferenceResponse& response : responses_) {
    numbers.push_back(response.outputs.at(0).tensor.elements<std::int64_t>()[0]);
  }
  return numbers;
}

std::vector<engine::InferenceResponse> TestRun::Take() {
  const MutexLock lock(mutex_);
  return std::exchange(responses_, {});
}

Result<engine::InferenceResponse> Answer(engine::LoadedModel& model,
                                         engine::InferenceRequest request) {
  TestRun run(std::move(request));
  MLOS_TRY(run.On(model).Ended());
  std::vector<engine::InferenceResponse> responses = run.Take();
  if (responses.size() != 1) return Status(Reason::kInternal, "not one response");
  return std::move(responses.front());
}

Status Stopped(engine::LoadedModel& model, const engine::InferenceRequest& request,
               std::chrono::milliseconds delay) {
  engine::Stop stop;
  std::thread other([&] {
    std::this_thread::sleep_for(delay);
    stop.Request();
  });
  const auto response = model.Infer(request, &stop);
  other.join();
  return response.status();
}

}  // namespace mlos::plugin
