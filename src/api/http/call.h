// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "api/http/json/request_memory.h"
#include "api/http/service.h"
#include "api/http/wire/handler.h"
#include "base/clock.h"

namespace mlos::api::http {

/// One request on its way through a route, from its head to its reply. Whoever works on it holds
/// it; should all of them drop it unanswered, it answers INTERNAL. Thread-compatible: one thread
/// works on it at a time.
class Call : public wire::Exchange, public std::enable_shared_from_this<Call> {
 public:
  Call(std::shared_ptr<Service> service, RouteMatch match, std::string_view query);
  ~Call() override;

  // Of the request; set before Handle.
  const std::string& id() const { return match_.id; }
  std::optional<std::string> parameter(std::string_view name) const {
    return guard::QueryParameter(query_, name);
  }
  void set_deadline(Deadline deadline) { deadline_ = deadline; }
  Deadline deadline() const { return deadline_; }
  void set_gzip(bool gzip) { gzip_ = gzip; }
  /// The model that errors name.
  void set_model_id(std::string model_id) { model_id_ = std::move(model_id); }

  wire::ByteBuffer& body() { return body_; }
  /// What its tensors hold of the budget.
  json::RequestMemory& memory() { return memory_; }
  Service& service() { return *service_; }
  runtime::Runtime& runtime() { return service_->runtime(); }
  bool on_event_thread() const { return responder_->OnEventThread(); }

  std::uint64_t body_bytes_max() const override;
  void Handle(wire::ByteBuffer body, wire::Responder responder) override;

  /// Replies, once, and counts the request.
  void Finish(Result<wire::Reply> outcome);

 private:
  Place ChoosePlace() const;
  void Run();
  Status Decompress();

  // Keeps the budget alive, and dies after what is counted against it.
  const std::shared_ptr<Service> service_;
  const RouteMatch match_;
  const std::string query_;
  const SteadyClock::time_point start_ = SteadyClock::now();
  Deadline deadline_ = kNoDeadline;
  bool gzip_ = false;
  std::string model_id_;

  std::optional<wire::Responder> responder_;
  wire::ByteBuffer body_;
  json::RequestMemory memory_;
};

}  // namespace mlos::api::http
