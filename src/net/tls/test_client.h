// SPDX-License-Identifier: MIT
#pragma once

#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace mlos::net::tls {

/// The far end of a connection, which waits for what it asks for, for tests. It speaks TLS if it is
/// `encrypted`; the handshake is made first. Thread-compatible.
class Client {
 public:
  Client(int socket, bool encrypted) : socket_(socket) {
    if (!encrypted) return;
    context_.reset(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free);
    ssl_.reset(SSL_new(context_.get()), &SSL_free);
    SSL_set_fd(ssl_.get(), socket);
    EXPECT_EQ(SSL_connect(ssl_.get()), 1);
  }

  void Send(std::string_view bytes) {
    const int size = static_cast<int>(bytes.size());
    EXPECT_EQ(ssl_ != nullptr ? SSL_write(ssl_.get(), bytes.data(), size)
                              : send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              size);
  }
  std::string Receive(std::size_t size) {
    std::string all(size, '\0');
    std::size_t at = 0;
    while (at < size) {
      const auto count = ssl_ != nullptr
                             ? SSL_read(ssl_.get(), &all[at], static_cast<int>(size - at))
                             : recv(socket_, &all[at], size - at, 0);
      if (count <= 0) break;
      at += static_cast<std::size_t>(count);
    }
    all.resize(at);
    return all;
  }

 private:
  const int socket_;
  std::shared_ptr<SSL_CTX> context_;
  std::shared_ptr<SSL> ssl_;
};

}  // namespace mlos::net::tls
