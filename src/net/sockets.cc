// SPDX-License-Identifier: MIT
#include "net/sockets.h"

#include <sys/socket.h>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace mlos::net {
namespace {

using boost::asio::ip::tcp;

constexpr int kBacklog = 4096;  // the kernel cuts it to net.core.somaxconn

Status SystemError(std::string_view what, int error) {
  return {Reason::kIoError, std::string(what) + ": " + std::system_category().message(error)};
}

Status Enable(int fd, int option) {
  const int on = 1;
  if (setsockopt(fd, SOL_SOCKET, option, &on, sizeof(on)) == 0) return OkStatus();
  return SystemError("cannot set up a listening socket", errno);
}

Result<UniqueFd> Open(const tcp::endpoint& endpoint, bool shared) {
  UniqueFd fd(socket(endpoint.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd.get() < 0) return SystemError("cannot open a socket", errno);
  // The port of a server that has just ended may be taken again.
  MLOS_TRY(Enable(fd.get(), SO_REUSEADDR));
  if (shared) MLOS_TRY(Enable(fd.get(), SO_REUSEPORT));
  const bool listens =
      bind(fd.get(), endpoint.data(), static_cast<socklen_t>(endpoint.size())) == 0 &&
      listen(fd.get(), kBacklog) == 0;
  if (listens) return fd;
  const int error = errno;
  const std::string where =
      endpoint.address().to_string() + " port " + std::to_string(endpoint.port());
  if (error == EADDRINUSE) {
    return Status(Reason::kAddressInUse, "another process listens on " + where);
  }
  return SystemError("cannot listen on " + where, error);
}

Result<tcp::endpoint> LocalEndpoint(int fd) {
  tcp::endpoint endpoint;
  auto size = static_cast<socklen_t>(endpoint.capacity());
  if (getsockname(fd, endpoint.data(), &size) != 0) return SystemError("getsockname", errno);
  endpoint.resize(size);
  return endpoint;
}

}  // namespace

Result<ListeningSockets> OpenListeningSockets(const std::string& host, std::uint16_t port,
                                              unsigned count) {
  boost::system::error_code error;
  const auto address =
      boost::asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host, error);
  if (error) {
    return Status(Reason::kInvalidConfig, "'" + host + "' is not an IP address").WithField("host");
  }
  ListeningSockets sockets;
  // The first socket is bound without SO_REUSEPORT, which fails if anyone listens; only then
  // does it become willing to share, with the others of this process.
  sockets.fds.push_back(MLOS_TRY(Open(tcp::endpoint(address, port), false)));
  const tcp::endpoint bound = MLOS_TRY(LocalEndpoint(sockets.fds.front().get()));
  MLOS_TRY(Enable(sockets.fds.front().get(), SO_REUSEPORT));
  while (sockets.fds.size() < count) sockets.fds.push_back(MLOS_TRY(Open(bound, true)));
  sockets.address = bound.address().to_string();
  sockets.port = bound.port();
  return sockets;
}

}  // namespace mlos::net
