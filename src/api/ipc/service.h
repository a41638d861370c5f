// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "api/door/lobby.h"
#include "api/ipc/operation.h"
#include "api/ipc/server_options.h"
#include "api/ipc/totals.h"
#include "metrics/counts.h"

namespace mlos::api::ipc {

/// What every request works with. Thread-safe.
class Service {
 public:
  /// `operations` and `lobby` must outlive it.
  Service(ServerOptions options, std::span<const Operation> operations, door::Lobby& lobby)
      : options_(std::move(options)),
        lobby_(lobby),
        operations_(operations),
        totals_(std::make_shared<Totals>(options_)) {
    for (const Operation& operation : operations) {
      counts_.push_back(&lobby.runtime().stats().Route("ipc", operation.name));
    }
  }

  const ServerOptions& options() const { return options_; }
  door::Lobby& lobby() { return lobby_; }
  runtime::Runtime& runtime() { return lobby_.runtime(); }
  /// What requests of one of its operations are counted in.
  metrics::RouteCounts& counts(const Operation& operation) const {
    return *counts_[static_cast<std::size_t>(&operation - operations_.data())];
  }
  const std::shared_ptr<Totals>& totals() const { return totals_; }

 private:
  const ServerOptions options_;
  door::Lobby& lobby_;
  const std::span<const Operation> operations_;
  std::vector<metrics::RouteCounts*> counts_;  // in the order of the operations
  const std::shared_ptr<Totals> totals_;
};

}  // namespace mlos::api::ipc
