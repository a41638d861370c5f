// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "api/ipc/service.h"
#include "api/ipc/session.h"
#include "base/result.h"

namespace mlos::api::ipc {

/// The sessions of the door, of which one may have to end for a new one. Users share connections as
/// the addresses of a net::TcpLoop do:
///
///     of whom                                      which
///     the newcomer, if that would exceed half      one without a request in flight
///     the user who has more than half              the same, else one whose client does not take
///                                                  its answers, else any, with its last answer
///     who has most, or else anybody                one without a request in flight
///
/// Thread-compatible: it belongs to the loop that accepts.
class Roster {
 public:
  explicit Roster(std::shared_ptr<Service> service) : service_(std::move(service)) {}

  /// A session of `peer`. OVERLOADED if there is no room, and none can be made.
  Result<std::shared_ptr<Session>> Admit(const Peer& peer);

 private:
  bool TakePlace(std::uint32_t uid);
  bool MakeRoom(std::uint32_t uid);
  /// Ends the session that is idle longest, one of `uid`'s unless that is nothing.
  bool EndIdle(std::optional<std::uint32_t> uid);
  /// Ends one of `uid` whose client does not take its answers.
  bool EndUnread(std::uint32_t uid);
  /// Lets one of `uid` end with the requests that it has.
  bool Retire(std::uint32_t uid);
  void Forget();

  const std::shared_ptr<Service> service_;
  std::vector<std::weak_ptr<Session>> sessions_;  // those that are gone among them, for a while
};

}  // namespace mlos::api::ipc
