// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <utility>

#include "api/grpc/call/call.h"
#include "api/grpc/messages/codec.h"

namespace mlos::api::grpc::messages {

/// A method of one request and one reply that is answered before its function returns.
template <typename Request, typename Response>
class UnaryHandler : public call::CallHandler {
 public:
  using Function = Result<Response> (*)(call::Call& call, const Request& request);

  UnaryHandler(call::Call& call, call::Place place, Function function)
      : call_(call), place_(place), function_(function) {}

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
    const Status parsed = Parse(call_.service(), message_, kFlatCost, request, held);
    if (!parsed.ok()) return call_.Finish(parsed);
    const Result<Response> response = function_(call_, request);
    if (!response.ok()) return call_.Finish(response.status());
    Reply(call_, *response);
  }

  call::Call& call_;
  const call::Place place_;
  const Function function_;
  call::Message message_;
};

/// The row of a method that `kFunction`, a Result<Response>(Call&, const Request&), answers.
template <auto kFunction, call::Place kPlace = call::Place::kEventThread>
struct Unary;

template <typename Request, typename Response,
          Result<Response> (*kFunction)(call::Call&, const Request&), call::Place kPlace>
struct Unary<kFunction, kPlace> {
  static std::unique_ptr<call::CallHandler> Open(call::Call& call) {
    return std::make_unique<UnaryHandler<Request, Response>>(call, kPlace, kFunction);
  }
};

}  // namespace mlos::api::grpc::messages
