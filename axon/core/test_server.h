// SPDX-License-Identifier: MIT
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "axon/fetch/url.h"
#include "base/unique_fd.h"

namespace axon::core {

/// Answers one request with what it was given, and keeps the request.
class OneAnswer {
 public:
  OneAnswer(const std::string& status, const std::string& body)
      : listening_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    auto* plain = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(listening_.get(), plain, length), 0);
    EXPECT_EQ(::listen(listening_.get(), 1), 0);
    EXPECT_EQ(::getsockname(listening_.get(), plain, &length), 0);
    port_ = ntohs(address.sin_port);
    const std::string answer = "HTTP/1.1 " + status + "\r\nConnection: close\r\nContent-Length: " +
                               std::to_string(body.size()) + "\r\n\r\n" + body;
    thread_ = std::thread([this, answer] { Serve(answer); });
  }
  ~OneAnswer() { Join(); }

  fetch::Url url(const std::string& path = "") const {
    return fetch::Url::Parse("http://127.0.0.1:" + std::to_string(port_) + path).value();
  }
  /// The head and the body of the request that came.
  const std::string& request() {
    Join();
    return request_;
  }

 private:
  void Serve(const std::string& answer) {
    const mlos::UniqueFd peer(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    while (!Whole()) {
      char bytes[4096];
      const ssize_t count = ::read(peer.get(), bytes, sizeof(bytes));
      if (count <= 0) break;
      request_.append(bytes, static_cast<std::size_t>(count));
    }
    EXPECT_EQ(::write(peer.get(), answer.data(), answer.size()),
              static_cast<ssize_t>(answer.size()));
  }
  bool Whole() const {
    const std::size_t end = request_.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    return request_.starts_with("GET ") || request_.ends_with("}");
  }
  void Join() {
    if (thread_.joinable()) thread_.join();
  }

  mlos::UniqueFd listening_;
  std::uint16_t port_ = 0;
  std::string request_;
  std::thread thread_;
};

}  // namespace axon::core
