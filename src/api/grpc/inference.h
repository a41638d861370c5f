// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <memory>
#include <utility>

#include "api/door/inference.h"
#include "api/grpc/call/call.h"
#include "api/grpc/messages/codec.h"
#include "api/grpc/tensors/elements.h"
#include "api/grpc/tensors/message_body.h"

namespace mlos::api::grpc {

/// What holds for every inference of `call`; `streams` if it takes several answers.
inline door::Inference::Terms TermsOf(call::Call& call, bool streams) {
  return {.caller = call.caller(),
          .deadline = call.deadline(),
          .time_asked = call.time_asked(),
          .cancellation = call.cancellation(),
          .credit = streams ? call.credit() : nullptr};
}

/// The same for one that has come over a stream, now: it has a time of its own.
inline door::Inference::Terms TermsOfNext(call::Call& call) {
  door::Inference::Terms terms = TermsOf(call, true);
  const door::Bounds& bounds = call.service().lobby().bounds();
  terms.deadline = std::min(terms.deadline, bounds.From(SteadyClock::now(), {}));
  return terms;
}

/// One inference that a call asks for: what the dialects have in common. Holds the message, which
/// tensors borrow from, and what is counted for both.
template <typename Message>
class Inference : public door::Inference {
 public:
  Inference(std::shared_ptr<call::Call> call, runtime::Fit fit, door::Inference::Terms terms)
      : door::Inference(call->service().lobby(), WithFit(std::move(terms), fit)),
        call_(std::move(call)),
        memory_(call_->budget()) {}

  /// Reads the message, whose parsing takes `cost`.
  Status Parse(const call::Message& message, const messages::Cost& cost) {
    return messages::Parse(*call_, message, cost, message_, held_);
  }
  /// Takes a message that was parsed elsewhere, with what is counted for it.
  void Take(Message& message, resource::Reservation held) {
    held_ = std::move(held);
    message_.Swap(&message);
  }

 protected:
  const std::shared_ptr<call::Call>& call() const { return call_; }
  const Message& message() const { return message_; }
  tensors::TensorMemory& memory() { return memory_; }
  /// `bytes`, in which outputs of `response` stand, as a message of the call. OVERLOADED or
  /// PAYLOAD_TOO_LARGE if there is no room. A large one takes the response, except if
  /// - it is to be compressed: it is whole then, as its length stands before it, and takes the
  ///   place of the outputs;
  /// - more answers may follow: the credit bounds what waits of them, by the bytes that the caller
  ///   sees, and what an engine keeps for its outputs may be more.
  Result<call::ReplyMessage> MessageOf(tensors::MessageBytes bytes,
                                       engine::InferenceResponse& response) {
    MLOS_TRY(bytes.text().status());
    call::ReplyMessage made(call_->NewMessage());
    if (bytes.size() <= kWholeBytesMax || call_->compresses() || terms().credit != nullptr) {
      std::move(bytes).AppendTo(made.bytes);
    } else {
      made.rest =
          MLOS_TRY(tensors::MessageBody::Create(std::move(bytes), response, call_->budget()));
    }
    MLOS_TRY(made.bytes.status());
    return made;
  }

 private:
  /// Larger messages are sent from where their elements are.
  static constexpr std::size_t kWholeBytesMax = 64 << 10;

  static door::Inference::Terms WithFit(door::Inference::Terms terms, runtime::Fit fit) {
    terms.fit = fit;
    return terms;
  }

  const std::shared_ptr<call::Call> call_;
  // Before what it counts.
  resource::Reservation held_;
  tensors::TensorMemory memory_;
  Message message_;
};

/// How an inference is answered that is the only one of its call: with one message or, if the
/// method streams, with as many as there are answers. `Dialect` is an Inference that makes them,
/// by `Result<call::ReplyMessage> Encode(response)`.
template <typename Dialect, bool kStreams>
class CallAnswer : public Dialect {
 public:
  explicit CallAnswer(const std::shared_ptr<call::Call>& call)
      : Dialect(call, TermsOf(*call, kStreams)) {}

 protected:
  Status Write(engine::InferenceResponse& response) override {
    answer_ = MLOS_TRY(this->Encode(response));
    if (kStreams) this->call()->Send(std::move(answer_));
    return OkStatus();
  }
  void End(Status status) override {
    if (kStreams || !status.ok()) return this->call()->Finish(status);
    this->call()->SendLast(std::move(answer_));
  }

 private:
  call::ReplyMessage answer_;
};

/// A method of one request, which `CallInference`, a CallAnswer, answers.
template <typename CallInference>
class InferMethod : public call::CallHandler {
 public:
  explicit InferMethod(call::Call& call) : call_(call) {}

  static std::unique_ptr<call::CallHandler> Open(call::Call& call) {
    return std::make_unique<InferMethod>(call);
  }
  void OnMessage(call::Message message) override { message_ = std::move(message); }
  void OnHalfClose() override {
    call_.Run(message_, [this, call = call_.shared_from_this()] {
      const auto inference = std::make_shared<CallInference>(call);
      const Status parsed = inference->Parse(std::exchange(message_, {}));
      if (!parsed.ok()) return call->Finish(parsed);
      inference->Start();
    });
  }

 private:
  call::Call& call_;
  call::Message message_;
};

}  // namespace mlos::api::grpc
