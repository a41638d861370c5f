// SPDX-License-Identifier: MIT
#pragma once

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"
#include "net/byte_buffer.h"
#include "net/event_loop.h"
#include "net/stream.h"
#include "net/tls/server.h"
#include "resource/shares.h"

namespace mlos::net {

/// The loop of a door over TCP. It enforces its share of the limits on connections, which addresses
/// share by the ShareRule. If there is no room for a connection, another one is closed for it:
///
///     of whom                                              which
///     the newcomer's address, if that would exceed half,   one that waits for a request
///       or has connections_per_peer_max
///     the address that holds more than half                one that waits for a request, else one
///                                                          that awaits_peer, else any, once its
///                                                          request is answered
///     any address                                          one that waits for a request
///
/// The door's own loop knows which wait for a request. One that Core computes for is closed after
/// its reply only; until then there may be an eighth more connections than the limit.
class TcpLoop : public EventLoop {
 public:
  /// Takes the socket over, on which it will accept. Before Run. IO_ERROR.
  Status Listen(UniqueFd listening);
  /// Instead of Listen: another loop, which listens as told, accepts the connections.
  void AwaitConnections(bool listens_on_any);
  /// Serves a connection that another loop has accepted, and of which it has read `received`. From
  /// any thread; for loops that AwaitConnections.
  void Adopt(UniqueFd socket, ByteBuffer received);

  /// Forgets a connection of `peer` that was closed or given to another loop.
  void Remove(Connection& connection, const boost::asio::ip::address& peer);
  /// True if connections come in at several addresses.
  bool listens_on_any() const { return listens_on_any_; }
  /// Where bytes that nobody wants are read to.
  static constexpr std::size_t kScratchBytes = 16 << 10;
  char* scratch() { return scratch_; }

 protected:
  struct Share {
    std::string_view door;  ///< as the log calls it; of static lifetime
    unsigned connections_max = 0;
    unsigned connections_per_peer_max = 0;
    std::shared_ptr<tls::Server> tls;           ///< null: plain TCP
    const tls::Protocols* protocols = nullptr;  ///< spoken over TLS; of static lifetime
  };

  explicit TcpLoop(Share share);

  virtual std::shared_ptr<PeerConnection> Make(Stream stream,
                                               const boost::asio::ip::address& peer) = 0;
  /// Closes an idle connection, one of `peer`'s unless that is null. False if all are busy.
  virtual bool CloseIdle(const boost::asio::ip::address* peer) = 0;
  /// Closes a connection of `peer` that awaits_peer, the longest open one. False if there is none.
  virtual bool CloseAwaiting(const boost::asio::ip::address& peer);
  /// Lets a connection of `peer` end with the requests that it has. False if all do already.
  virtual bool Retire(const boost::asio::ip::address& peer);
  /// There is no room for an accepted connection. It is closed unless an override keeps it.
  virtual void OnNoRoom(UniqueFd /*socket*/) {}
  void OnNoDescriptor() override { CloseIdleOfLargest(); }
  /// Closes an idle connection, of the address that has most if it has one.
  void CloseIdleOfLargest();

 private:
  void OnAccept(UniqueFd socket) final { AddSocket(std::move(socket), {}); }
  void AddSocket(UniqueFd fd, ByteBuffer received);
  bool MakeRoom(const boost::asio::ip::address& peer);
  template <typename Condition>
  OpenList::iterator FindOpen(const boost::asio::ip::address& peer, Condition holds);

  const Share share_;
  bool listens_on_any_ = false;
  resource::Shares<boost::asio::ip::address> places_;
  char scratch_[kScratchBytes];
};

}  // namespace mlos::net
