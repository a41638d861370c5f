// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "api/door/lobby.h"
#include "base/result.h"
#include "engine/credit.h"
#include "runtime/ticket.h"

namespace mlos::api::door {

/// One inference from admission to encoding, the same at every door. What a door knows of it, it
/// tells by the hooks, which come in this order:
///
///     Start ── admit ──► Read ── run ──► Write, for each answer ──► End
///      │  ▲ └─────── what fails in between ──────────────────────────▲
///      └──┘ waits while its model is being loaded
///
/// Hooks come one at a time: Read on the thread that called Start, or on a worker if it waited for
/// its model, the others there or on any other. It is held by whoever starts it until Start is
/// back, and by itself until its end.
class Inference : public std::enable_shared_from_this<Inference>, private runtime::ResponseSink {
 public:
  /// What holds for it whatever its message says.
  struct Terms {
    runtime::Caller caller;
    runtime::Fit fit = runtime::Fit::kExact;
    Deadline deadline = kNoDeadline;
    /// The caller asked for a time; else the deadline is the longest that it may take.
    bool time_asked = false;
    std::shared_ptr<const engine::Cancellation> cancellation;
    /// Null if there is one answer.
    std::shared_ptr<engine::Credit> credit;
  };

  Inference(Lobby& lobby, Terms terms) : lobby_(lobby), terms_(std::move(terms)) {}

  /// Asks the model `model_id`, or ends with the reason why it cannot be asked.
  void Start(std::string_view model_id);
  /// The same for a model that had to be found; with the reason why it was not.
  void StartFound(const Result<std::string>& model_id);

 protected:
  const runtime::Ticket& ticket() const { return *ticket_; }
  const engine::ModelSchema& schema() const { return ticket_->schema(); }
  Lobby& lobby() { return lobby_; }
  const Terms& terms() const { return terms_; }

  /// The deadline that the message asks for, as far as it can be told before Read.
  virtual Deadline AskedDeadline() { return kNoDeadline; }
  /// The tensors and whatever else the message says. What they borrow from lives as long as this.
  virtual Result<engine::InferenceRequest> Read() = 0;
  /// Whether the door takes more than one answer.
  virtual bool Streams() const { return terms_.credit != nullptr; }
  /// Whether Write would keep this thread busy for longer than others should wait. Of the only
  /// answer; it is written by a worker then.
  virtual bool IsLongToWrite(const engine::InferenceResponse& /*response*/) const { return false; }
  /// Encodes the next answer, and may take it. A failure is the end.
  virtual Status Write(engine::InferenceResponse& response) = 0;
  /// There are no more answers: sends what is not sent yet. The last call, and the only one if the
  /// inference did not come to run.
  virtual void End(Status status) = 0;

 private:
  Status Begin(std::string_view model_id);
  /// Starts again once the model is loaded.
  void AwaitLoad(std::string_view model_id);
  /// When it stops to wait for its model.
  Deadline WaitsUntil();
  void OnOutcome(Result<engine::InferenceResponse> outcome);
  Status OnResponse(engine::InferenceResponse response) override;
  void OnEnd(Status status) override { End(std::move(status)); }

  Lobby& lobby_;
  const Terms terms_;
  std::optional<runtime::Ticket> ticket_;
  std::optional<Deadline> waits_until_;
};

}  // namespace mlos::api::door
