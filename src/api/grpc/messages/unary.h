// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <utility>

#include "api/grpc/call/call.h"
#include "api/grpc/messages/codec.h"

namespace mlos::api::grpc::messages {

/// A method of one request, whose parsing takes `cost`, and one reply.
template <typename Request>
class UnaryHandler : public call::CallHandler {
 public:
  /// Replies through `call`, now or later.
  using Function = void (*)(const std::shared_ptr<call::Call>& call, const Request& request);

  UnaryHandler(call::Call& call, Function function, const Cost& cost)
      : call_(call), function_(function), cost_(cost) {}

  void OnMessage(call::Message message) override { message_ = std::move(message); }
  void OnHalfClose() override {
    call_.Run(message_, [this, call = call_.shared_from_this()] { Run(call); });
  }

 private:
  void Run(const std::shared_ptr<call::Call>& call) {
    Request request;
    resource::Reservation held;
    const Status parsed = Parse(*call, message_, cost_, request, held);
    if (!parsed.ok()) return call->Finish(parsed);
    function_(call, request);
  }

  call::Call& call_;
  const Function function_;
  const Cost& cost_;
  call::Message message_;
};

/// How a method is opened that `kFunction` answers: a Result<Response>(Call&, const Request&), or a
/// UnaryHandler::Function.
template <auto kFunction, const Cost& kCost = kFlatCost>
struct Unary;

template <typename Request, typename Response,
          Result<Response> (*kFunction)(call::Call&, const Request&), const Cost& kCost>
struct Unary<kFunction, kCost> {
  static std::unique_ptr<call::CallHandler> Open(call::Call& call) {
    return std::make_unique<UnaryHandler<Request>>(call, &Answer, kCost);
  }

 private:
  static void Answer(const std::shared_ptr<call::Call>& call, const Request& request) {
    const Result<Response> response = kFunction(*call, request);
    if (!response.ok()) return call->Finish(response.status());
    Reply(*call, *response);
  }
};

template <typename Request, void (*kFunction)(const std::shared_ptr<call::Call>&, const Request&),
          const Cost& kCost>
struct Unary<kFunction, kCost> {
  static std::unique_ptr<call::CallHandler> Open(call::Call& call) {
    return std::make_unique<UnaryHandler<Request>>(call, kFunction, kCost);
  }
};

}  // namespace mlos::api::grpc::messages
