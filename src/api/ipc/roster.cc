// SPDX-License-Identifier: MIT
#include "api/ipc/roster.h"

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>

namespace mlos::api::ipc {
namespace {

// Sessions that are gone are looked for once there are so many more than open ones.
constexpr std::size_t kGoneMax = 64;

Status MadeRoom(Reason reason) {
  return {reason, "the connection made room for others; connect again"};
}

}  // namespace

Result<std::shared_ptr<Session>> Roster::Admit(const Peer& peer) {
  Forget();
  if (!TakePlace(peer.uid)) {
    return Status(Reason::kOverloaded, "too many connections are open; try again later");
  }
  auto session = std::make_shared<Session>(
      service_->options(), peer,
      service_->lobby().accounts().Open("uid " + std::to_string(peer.uid)), service_->totals());
  sessions_.push_back(session);
  return session;
}

bool Roster::TakePlace(std::uint32_t uid) {
  UserShares& places = service_->totals()->connections;
  // Whoever was ended has given its place back already.
  if (places.Take(uid) || (MakeRoom(uid) && places.Take(uid))) return true;
  const auto largest = places.over_half();
  if (!largest || places.at_half(uid) || !places.TakeAhead(uid)) return false;
  if (Retire(*largest)) return true;
  places.Give(uid);
  return false;
}

bool Roster::MakeRoom(std::uint32_t uid) {
  const UserShares& places = service_->totals()->connections;
  if (places.at_half(uid)) return EndIdle(uid);
  if (const auto largest = places.over_half()) {
    return EndIdle(largest) || EndUnread(*largest);
  }
  return EndIdle(places.largest()) || EndIdle(std::nullopt);
}

bool Roster::EndIdle(std::optional<std::uint32_t> uid) {
  struct Idle {
    SteadyClock::time_point since;
    std::size_t place;  // among the sessions, oldest first
    std::shared_ptr<Session> session;
  };
  std::vector<Idle> idle;
  for (std::size_t i = 0; i < sessions_.size(); ++i) {
    std::shared_ptr<Session> session = sessions_[i].lock();
    if (session == nullptr || (uid && session->peer().uid != *uid) || !session->idle()) continue;
    const SteadyClock::time_point since = session->idle_since();
    idle.push_back({since, i, std::move(session)});
  }
  std::sort(idle.begin(), idle.end(), [](const Idle& a, const Idle& b) {
    return std::tie(a.since, a.place) < std::tie(b.since, b.place);
  });
  return std::any_of(idle.begin(), idle.end(), [](const Idle& entry) {
    return entry.session->EndIfIdle(MadeRoom(Reason::kRequestTimeout));
  });
}

bool Roster::EndUnread(std::uint32_t uid) {
  return std::any_of(sessions_.begin(), sessions_.end(), [uid](const auto& known) {
    const std::shared_ptr<Session> session = known.lock();
    return session != nullptr && session->peer().uid == uid &&
           session->EndIfUnread(MadeRoom(Reason::kOverloaded));
  });
}

bool Roster::Retire(std::uint32_t uid) {
  return std::any_of(sessions_.begin(), sessions_.end(), [uid](const auto& known) {
    const std::shared_ptr<Session> session = known.lock();
    return session != nullptr && session->peer().uid == uid &&
           session->Retire(MadeRoom(Reason::kOverloaded));
  });
}

void Roster::Forget() {
  if (sessions_.size() < service_->totals()->connections.total() + kGoneMax) return;
  std::erase_if(sessions_, [](const auto& session) { return session.expired(); });
}

}  // namespace mlos::api::ipc
