// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <utility>

#include "api/grpc/call/call.h"
#include "api/grpc/messages/codec.h"

namespace mlos::api::grpc::messages {

/// A method of one request, whose parsing takes `cost`, and one reply that is answered before its
/// function returns.
template <typename Request, typename Response>
class UnaryHandler : public call::CallHandler {
 public:
  using Function = Result<Response> (*)(call::Call& call, const Request& request);

  UnaryHandler(call::Call& call, call::Place place, Function function, const Cost& cost)
      : call_(call), place_(place), function_(function), cost_(cost) {}

  void OnMessage(call::Message message) override { message_ = std::move(message); }
  void OnHalfClose() override {
    const bool large = place_ == call::Place::kEventThread && IsLarge(message_);
    const call::Place place = large ? call::Place::kWorker : place_;
    call_.service().Post(place, [this, call = call_.shared_from_this()] { Run(); });
  }

 private:
  void Run() {
    Request request;
    resource::Reservation held;
    const Status parsed = Parse(call_.service(), message_, cost_, request, held);
    if (!parsed.ok()) return call_.Finish(parsed);
    const Result<Response> response = function_(call_, request);
    if (!response.ok()) return call_.Finish(response.status());
    Reply(call_, *response);
  }

  call::Call& call_;
  const call::Place place_;
  const Function function_;
  const Cost& cost_;
  call::Message message_;
};

/// The row of a method that `kFunction`, a Result<Response>(Call&, const Request&), answers.
template <auto kFunction, call::Place kPlace = call::Place::kEventThread,
          const Cost& kCost = kFlatCost>
struct Unary;

template <typename Request, typename Response,
          Result<Response> (*kFunction)(call::Call&, const Request&), call::Place kPlace,
          const Cost& kCost>
struct Unary<kFunction, kPlace, kCost> {
  static std::unique_ptr<call::CallHandler> Open(call::Call& call) {
    return std::make_unique<UnaryHandler<Request, Response>>(call, kPlace, kFunction, kCost);
  }
};

}  // namespace mlos::api::grpc::messages
