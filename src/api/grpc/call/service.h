// SPDX-License-Identifier: MIT
#pragma once

#include "api/door/lobby.h"
#include "api/grpc/call/options.h"

namespace mlos::api::grpc::call {

/// What every call works with. Thread-safe.
class Service {
 public:
  /// `lobby` must outlive it.
  Service(const Options& options, door::Lobby& lobby) : options_(options), lobby_(lobby) {}

  const Options& options() const { return options_; }
  door::Lobby& lobby() { return lobby_; }
  runtime::Runtime& runtime() { return lobby_.runtime(); }
  /// What messages and tensors of each caller are counted against.
  resource::Accounts& accounts() { return lobby_.accounts(); }

 private:
  const Options options_;
  door::Lobby& lobby_;
};

}  // namespace mlos::api::grpc::call
