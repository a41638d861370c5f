// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "api/door/lobby.h"
#include "api/http/call/options.h"

namespace mlos::api::http::call {

/// What every call works with. Thread-safe.
class Service {
 public:
  /// `lobby` must outlive it; `port` is the one the server listens on.
  Service(const Options& options, door::Lobby& lobby, std::uint16_t port)
      : options_(options), lobby_(lobby), port_(port) {}

  const Options& options() const { return options_; }
  door::Lobby& lobby() { return lobby_; }
  const door::Lobby& lobby() const { return lobby_; }
  runtime::Runtime& runtime() { return lobby_.runtime(); }
  /// What bodies, tensors and replies of each caller are counted against.
  resource::Accounts& accounts() { return lobby_.accounts(); }
  std::uint16_t port() const { return port_; }

 private:
  const Options options_;
  door::Lobby& lobby_;
  const std::uint16_t port_;
};

}  // namespace mlos::api::http::call
