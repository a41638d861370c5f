// SPDX-License-Identifier: MIT
#include "api/http/wire/front_loop.h"

#include <algorithm>
#include <utility>

namespace mlos::api::http::wire {
namespace {

// Of the connections that are allowed, an eighth may be at the front; of one peer fewer.
constexpr unsigned kPartOfFront = 8;
constexpr unsigned kOfOnePeerMax = 64;

Limits ForFront(Limits limits) {
  limits.connections_max = std::max(1U, limits.connections_max / kPartOfFront);
  limits.connections_per_peer_max =
      std::clamp(limits.connections_per_peer_max / kPartOfFront, 1U, kOfOnePeerMax);
  return limits;
}

/// For each of `threads` loops: what the front leaves.
Limits ForOthers(Limits limits, unsigned threads) {
  const Limits front = ForFront(limits);
  limits.connections_max = std::max(1U, (limits.connections_max - front.connections_max) / threads);
  limits.connections_per_peer_max =
      std::max(1U, (limits.connections_per_peer_max - front.connections_per_peer_max) / threads);
  return limits;
}

}  // namespace

Keeping FrontLoop::Keeps(const RequestHead* head) {
  if (in_need()) return Keeping::kInNeed;
  const bool health = head != nullptr && handler().IsHealthCheck(*head);
  return health ? Keeping::kYes : Keeping::kNo;
}

void FrontLoop::OnNoRoom(UniqueFd socket) {
  if (!in_need()) HandOver(std::move(socket), {});
}

void FrontLoop::HandOver(UniqueFd socket, net::ByteBuffer received) {
  if (!socket.valid()) return;
  others_[next_++ % others_.size()]->Adopt(std::move(socket), std::move(received));
}

// Its place is wanted, not its descriptor: the loop it goes to closes what there is no room for.
// Those that have asked for health are the ones the front is for.
bool FrontLoop::CloseIdle(const boost::asio::ip::address* peer) {
  const auto of_peer = [peer](const WaitingConnection& waiting) {
    return peer == nullptr || waiting.peer() == *peer;
  };
  auto found = std::find_if(
      waiting().begin(), waiting().end(),
      [&](const WaitingConnection& waiting) { return of_peer(waiting) && !waiting.has_asked(); });
  if (found == waiting().end()) found = std::find_if(waiting().begin(), waiting().end(), of_peer);
  if (found == waiting().end()) return false;
  found->Leave();
  return true;
}

void FrontLoop::OnNoDescriptor() {
  EventLoop::CloseIdle(nullptr);
  for (const auto& loop : others_) loop->CloseOneIdle();
}

void FrontLoop::OnDrained() {
  for (const auto& loop : others_) loop->EndAdopting();
}

Result<std::unique_ptr<net::Listener>> ListenWithFront(net::ListeningSockets sockets,
                                                       unsigned threads, const Limits& limits,
                                                       const std::shared_ptr<Handler>& handler) {
  const Limits of_each = ForOthers(limits, threads);
  const bool any = sockets.address == "0.0.0.0" || sockets.address == "::";
  std::vector<std::shared_ptr<EventLoop>> others;
  while (others.size() < threads) {
    others.push_back(std::make_shared<EventLoop>(of_each, handler));
    others.back()->AwaitConnections(any);
  }
  const auto front = std::make_shared<FrontLoop>(ForFront(limits), handler, others);
  MLOS_TRY(front->Listen(std::move(sockets.fds.front())));
  std::vector<std::shared_ptr<net::Loop>> loops = {front};
  loops.insert(loops.end(), others.begin(), others.end());
  return std::make_unique<net::Listener>(std::move(loops), sockets.port);
}

}  // namespace mlos::api::http::wire
