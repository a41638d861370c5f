// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/http/wire/message.h"
#include "base/status.h"

namespace mlos::api::http {

/// Which names this server answers to. A page that a browser has loaded from elsewhere can reach a
/// server on the loopback interface, by a name of its own that resolves there (DNS rebinding) or
/// straight away; it cannot choose the Host and Origin that the browser sends. Thread-safe.
class HostPolicy {
 public:
  /// Loopback names and `bound_address` are always allowed, beside `allowed_hosts`; "*" allows all.
  HostPolicy(const std::vector<std::string>& allowed_hosts, std::string_view bound_address);

  /// HOST_NOT_ALLOWED or ORIGIN_NOT_ALLOWED. Every method is checked.
  Status Check(const wire::RequestHead& head) const;

 private:
  bool Allows(std::string_view host, std::string_view local_address) const;

  bool any_ = false;
  std::vector<std::string> hosts_;
};

}  // namespace mlos::api::http
