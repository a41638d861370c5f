// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "api/http/call/route.h"
#include "api/http/call/service.h"
#include "api/http/guard/target.h"
#include "api/http/tensors/request_memory.h"
#include "api/http/wire/body_stream.h"
#include "api/http/wire/coding.h"
#include "api/http/wire/handler.h"
#include "base/clock.h"
#include "engine/cancellation.h"

namespace mlos::api::http::call {

/// One request on its way through a route, from its head to its reply. Whoever works on it holds
/// it; should all of them drop it unanswered, it answers INTERNAL. Thread-compatible: one thread
/// works on it at a time.
class Call : public wire::Exchange, public std::enable_shared_from_this<Call> {
 public:
  /// What it takes is counted against `account`, which outlives it.
  Call(std::shared_ptr<Service> service, RouteMatch match, std::string_view query,
       resource::ByteBudget& account);
  ~Call() override;

  // Of the request; set before Handle.
  const std::string& id() const { return match_.id; }
  const std::string& version() const { return match_.version; }
  std::optional<std::string> parameter(std::string_view name) const {
    return guard::QueryParameter(query_, name);
  }
  /// `asked` if it is what the caller wants.
  void set_deadline(Deadline deadline, bool asked) {
    deadline_ = deadline;
    time_asked_ = asked;
  }
  Deadline deadline() const { return deadline_; }
  bool time_asked() const { return time_asked_; }
  /// How the body is compressed, and how its reply may be.
  void set_codings(wire::ContentCoding body, wire::ContentCoding reply) {
    body_coding_ = body;
    reply_coding_ = reply;
  }
  wire::ContentCoding reply_coding() const { return reply_coding_; }
  /// The value of Inference-Header-Content-Length.
  void set_inference_header_bytes(std::uint64_t bytes) { inference_header_bytes_ = bytes; }
  /// How many bytes of the body are JSON: all, or as many as the header says. INVALID_FIELD where
  /// the body is shorter.
  Result<std::size_t> JsonBytes() const;
  /// The model that errors name.
  void set_model_id(std::string model_id) { model_id_ = std::move(model_id); }

  net::ByteBuffer& body() { return body_; }
  /// What its tensors hold of the budget.
  tensors::RequestMemory& memory() { return memory_; }
  Service& service() { return *service_; }
  /// What it takes of memory is counted against its caller's.
  resource::ByteBudget& budget() { return account_; }
  runtime::Runtime& runtime() { return service_->runtime(); }
  runtime::Caller caller() const { return {.door = runtime::Door::kHttp, .account = &account_}; }
  bool on_event_thread() const { return responder_->OnEventThread(); }

  std::uint64_t body_bytes_max() const override;
  std::size_t body_lead_bytes() const override;
  void Handle(net::ByteBuffer body, wire::Responder responder) override;
  wire::Reply Refuse(const Status& status) override;
  void OnCallerGone() override { Cancel(); }

  /// Set when the caller goes away; holds the call.
  std::shared_ptr<const engine::Cancellation> cancellation() {
    return {shared_from_this(), &cancellation_};
  }

  /// Ends its work early, where that looks at `cancellation`.
  void Cancel() { cancellation_.Cancel(); }

  /// Replies, once, and counts the request. A reply that was started with StartStream ends; a
  /// failure is its last event then.
  void Finish(Result<wire::Reply> outcome);
  /// Starts a 200 whose body comes in pieces: what is written to the result, until Finish.
  /// `content_type` is a constant; what the caller has not read is held in `credit`. At most once.
  std::shared_ptr<wire::BodyStream> StartStream(std::string_view content_type,
                                                std::shared_ptr<engine::Credit> credit);

 private:
  void Run();
  Status Decompress();
  wire::Reply ErrorOf(const Status& status) const;

  const std::shared_ptr<Service> service_;
  resource::ByteBudget& account_;
  const RouteMatch match_;
  const std::string query_;
  const SteadyClock::time_point start_ = SteadyClock::now();
  Deadline deadline_ = kNoDeadline;
  bool time_asked_ = false;
  wire::ContentCoding body_coding_ = wire::ContentCoding::kIdentity;
  wire::ContentCoding reply_coding_ = wire::ContentCoding::kIdentity;
  std::optional<std::uint64_t> inference_header_bytes_;
  engine::Cancellation cancellation_;
  std::string model_id_;

  std::optional<wire::Responder> responder_;
  std::shared_ptr<wire::BodyStream> stream_;
  net::ByteBuffer body_;
  tensors::RequestMemory memory_;
};

/// A route's handler that replies, of one that returns its reply.
template <Result<wire::Reply> (*kHandle)(Call&)>
void Answer(const std::shared_ptr<Call>& call) {
  call->Finish(kHandle(*call));
}

}  // namespace mlos::api::http::call
