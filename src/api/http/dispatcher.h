// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "api/http/call/service.h"
#include "api/http/guard/cross_origin.h"
#include "api/http/guard/host_policy.h"
#include "api/http/router.h"
#include "api/http/server_options.h"
#include "api/http/wire/handler.h"
#include "base/clock.h"

namespace mlos::api::http {

/// Looks at the head of a request: who may ask, what is asked for, and how the body will come. What
/// it admits becomes a Call. Thread-safe.
class Dispatcher : public wire::Handler {
 public:
  /// For a server that listens at `address`; `options` say who may ask.
  Dispatcher(std::shared_ptr<call::Service> service, const ServerOptions& options,
             std::string_view address);

  resource::Accounts& accounts() override { return service_->accounts(); }
  wire::Admission Admit(const wire::RequestHead& head, resource::ByteBudget& account) override;
  std::string_view HeaderLinesFor(const wire::RequestHead& head) const override {
    return cross_origin_.HeadersFor(head.origin);
  }
  bool IsHealthCheck(const wire::RequestHead& head) const override;
  wire::Reply Refuse(const Status& status) override;

 private:
  Result<std::shared_ptr<wire::Exchange>> Accept(const wire::RequestHead& head,
                                                 const guard::Target& target,
                                                 resource::ByteBudget& account);
  wire::Admission Reject(const wire::RequestHead& head, const Status& status,
                         std::string allow = {});
  Status CheckCaller(const wire::RequestHead& head) const;
  wire::Admission TellMethods(const wire::RequestHead& head, std::string allow) const;
  void CountRefusal(const Status& status);

  const std::shared_ptr<call::Service> service_;
  const Router router_;
  const guard::HostPolicy hosts_;
  const guard::CrossOrigin cross_origin_;
};

}  // namespace mlos::api::http
