// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace mlos::net {

/// Sockets that listen on one address and port, and share its connections.
struct ListeningSockets {
  std::vector<UniqueFd> fds;
  std::string address;  ///< "127.0.0.1", "::1"
  std::uint16_t port = 0;
};

/// Opens `count` listening sockets. For port 0 the kernel picks one. INVALID_CONFIG (field `host`)
/// if `host` is not an address, ADDRESS_IN_USE if any process listens there already, even one that
/// would share the port; IO_ERROR.
Result<ListeningSockets> OpenListeningSockets(const std::string& host, std::uint16_t port,
                                              unsigned count);

}  // namespace mlos::net
