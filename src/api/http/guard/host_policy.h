// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace mlos::api::http::guard {

/// What a request says of where it goes and where it comes from.
struct Claims {
  std::optional<std::string_view> host;    ///< the header Host
  std::optional<std::string_view> origin;  ///< the header Origin
  /// The address the connection came in at, where the server listens on several.
  std::string_view local_address;
};

/// Which names this server answers to. A page that a browser has loaded from elsewhere can reach a
/// server on the loopback interface, by a name of its own that resolves there (DNS rebinding) or
/// straight away; it cannot choose the Host and Origin that the browser sends. Thread-safe.
class HostPolicy {
 public:
  /// Loopback names and `bound_address` are always allowed, beside `allowed_hosts`; "*" allows all.
  HostPolicy(const std::vector<std::string>& allowed_hosts, std::string_view bound_address);

  /// HOST_NOT_ALLOWED or ORIGIN_NOT_ALLOWED.
  Status Check(const Claims& claims) const;

 private:
  bool Allows(std::string_view host, std::string_view local_address) const;

  bool any_ = false;
  std::vector<std::string> hosts_;
};

}  // namespace mlos::api::http::guard
