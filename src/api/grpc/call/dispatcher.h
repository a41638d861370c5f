// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "api/grpc/call/call.h"
#include "api/grpc/call/service.h"
#include "api/grpc/http2/stream.h"

namespace mlos::api::grpc::call {

/// Looks at the head of a request: whether it is a call, of which method, by when it is to be
/// answered. Thread-safe.
class Dispatcher : public http2::Acceptor {
 public:
  Dispatcher(std::shared_ptr<Service> service, std::vector<Method> methods);

  resource::Accounts& accounts() override { return service_->accounts(); }
  std::shared_ptr<http2::StreamHandler> Open(const http2::RequestHead& head, std::int32_t stream_id,
                                             std::shared_ptr<http2::StreamPort> port) override;

 private:
  Result<const Method*> FindMethod(const http2::RequestHead& head) const;
  Result<CallHead> ReadHead(const http2::RequestHead& head, const Method& method) const;
  Result<Deadline> CallDeadline(const http2::RequestHead& head, const Method& method) const;

  const std::shared_ptr<Service> service_;
  const std::vector<Method> methods_;
  std::unordered_map<std::string_view, const Method*> by_path_;
};

}  // namespace mlos::api::grpc::call
