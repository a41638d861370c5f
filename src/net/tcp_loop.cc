// SPDX-License-Identifier: MIT
#include "net/tcp_loop.h"

#include <sys/socket.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace mlos::net {
namespace {

using boost::system::error_code;
using Tcp = boost::asio::ip::tcp;

/// What `name`, getsockname or getpeername, says of a socket; of no family if it fails.
template <typename Name>
Tcp::endpoint EndpointOf(int socket, const Name& name) {
  Tcp::endpoint endpoint;
  auto size = static_cast<socklen_t>(endpoint.capacity());
  if (name(socket, endpoint.data(), &size) != 0) return {};
  endpoint.resize(size);
  return endpoint;
}

}  // namespace

TcpLoop::TcpLoop(Share share)
    : EventLoop(share.door), share_(std::move(share)), places_(share_.connections_max) {}

Status TcpLoop::Listen(UniqueFd listening) {
  listens_on_any_ = EndpointOf(listening.get(), ::getsockname).address().is_unspecified();
  return AcceptOn(std::move(listening));
}

void TcpLoop::AwaitConnections(bool listens_on_any) {
  EventLoop::AwaitConnections();
  listens_on_any_ = listens_on_any;
}

void TcpLoop::Adopt(UniqueFd socket, ByteBuffer received) {
  Post([self = std::static_pointer_cast<TcpLoop>(shared_from_this()), socket = std::move(socket),
        received = std::move(received)]() mutable {
    self->AddSocket(std::move(socket), std::move(received));
  });
}

void TcpLoop::AddSocket(UniqueFd fd, ByteBuffer received) {
  const Tcp::endpoint peer = EndpointOf(fd.get(), ::getpeername);
  if (peer.port() == 0) return;  // gone already
  if (!MakeRoom(peer.address())) return OnNoRoom(std::move(fd));
  Tcp::socket socket(io());
  error_code error;
  socket.assign(peer.protocol(), fd.get(), error);
  if (error) return;
  static_cast<void>(fd.Release());
  socket.non_blocking(true, error);
  socket.set_option(Tcp::no_delay(true), error);
  std::unique_ptr<tls::Session> tls;
  if (share_.tls != nullptr) {
    tls = share_.tls->NewSession(socket.native_handle(), *share_.protocols);
    // No memory for a session: the socket closes here.
    if (tls == nullptr) return;
  }
  places_.Take(peer.address());
  Add(Make(Stream(std::move(socket), std::move(tls), std::move(received)), peer.address()));
}

bool TcpLoop::MakeRoom(const boost::asio::ip::address& peer) {
  const std::uint64_t held = places_.held_by(peer);
  // First, so that a peer that exceeds its own limit loses a connection of its own.
  if (held >= share_.connections_per_peer_max) return CloseIdle(&peer);
  if (places_.HasRoomFor(peer)) return true;
  if (held >= places_.rule().half()) return CloseIdle(&peer);
  if (const std::optional<boost::asio::ip::address> largest = places_.over_half()) {
    if (CloseIdle(&*largest) || CloseAwaiting(*largest)) return true;
    if (places_.rule().AllowsAhead(places_.total() + 1) && Retire(*largest)) return true;
  }
  return CloseIdle(nullptr);
}

template <typename Condition>
TcpLoop::OpenList::iterator TcpLoop::FindOpen(const boost::asio::ip::address& peer,
                                              Condition holds) {
  return std::find_if(open().begin(), open().end(), [&](const Connection& connection) {
    const auto& of_peer = static_cast<const PeerConnection&>(connection);
    return of_peer.peer() == peer && holds(of_peer);
  });
}

bool TcpLoop::CloseAwaiting(const boost::asio::ip::address& peer) {
  const auto found =
      FindOpen(peer, [](const PeerConnection& connection) { return connection.awaits_peer(); });
  if (found == open().end()) return false;
  found->Close();
  return true;
}

bool TcpLoop::Retire(const boost::asio::ip::address& peer) {
  const auto found =
      FindOpen(peer, [](const PeerConnection& connection) { return !connection.draining(); });
  if (found == open().end()) return false;
  found->Drain();
  return true;
}

void TcpLoop::CloseIdleOfLargest() {
  const std::optional<boost::asio::ip::address> largest = places_.largest();
  if (!largest || !CloseIdle(&*largest)) CloseIdle(nullptr);
}

void TcpLoop::Remove(Connection& connection, const boost::asio::ip::address& peer) {
  places_.Give(peer);
  Forget(connection);
}

}  // namespace mlos::net
