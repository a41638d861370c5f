// SPDX-License-Identifier: MIT
#include "runtime/response_sink.h"

#include <utility>

namespace mlos::runtime {
namespace {

class FunctionSink : public ResponseSink {
 public:
  FunctionSink(std::function<void(engine::InferenceResponse)> on_response,
               std::function<void(Status)> on_end)
      : on_response_(std::move(on_response)), on_end_(std::move(on_end)) {}

  Status OnResponse(engine::InferenceResponse response) override {
    on_response_(std::move(response));
    return OkStatus();
  }
  void OnEnd(Status status) override { on_end_(std::move(status)); }

 private:
  const std::function<void(engine::InferenceResponse)> on_response_;
  const std::function<void(Status)> on_end_;
};

}  // namespace

std::shared_ptr<ResponseSink> SinkOf(std::function<void(engine::InferenceResponse)> on_response,
                                     std::function<void(Status)> on_end) {
  return std::make_shared<FunctionSink>(std::move(on_response), std::move(on_end));
}

}  // namespace mlos::runtime
