// SPDX-License-Identifier: MIT
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <string>
#include <string_view>

namespace mlos::api::http::wire {

/// A caller that sends bytes as they are given and reads what comes, for tests. Thread-compatible.
class TestClient {
 public:
  explicit TestClient(std::uint16_t port) : socket_(io_) {
    socket_.connect({boost::asio::ip::make_address("127.0.0.1"), port});
  }

  void Send(std::string_view bytes) {
    boost::system::error_code error;
    boost::asio::write(socket_, boost::asio::buffer(bytes), error);
  }

  /// Sends no more, and still reads.
  void EndSending() {
    boost::system::error_code error;
    socket_.shutdown(boost::asio::ip::tcp::socket::shutdown_send, error);
  }

  /// Reads until `end` has come, the server closes, or nothing comes for 20 seconds.
  std::string ReadUntil(std::string_view end) {
    while (received_.find(end) == std::string::npos && ReadSome()) {
    }
    const std::size_t found = received_.find(end);
    const std::size_t length = found == std::string::npos ? received_.size() : found + end.size();
    std::string taken = received_.substr(0, length);
    received_.erase(0, length);
    return taken;
  }

  /// Reads all that comes until the server closes; "…open" is at the end where it does not.
  std::string ReadAll() {
    while (ReadSome()) {
    }
    return std::exchange(received_, {}) + (closed_ ? "" : "…open");
  }

 private:
  bool ReadSome() {
    char bytes[64 << 10];
    std::size_t count = 0;
    bool done = false;
    socket_.async_read_some(boost::asio::buffer(bytes),
                            [&](const boost::system::error_code& error, std::size_t read) {
                              done = true;
                              closed_ = static_cast<bool>(error);
                              count = read;
                            });
    io_.restart();
    io_.run_for(std::chrono::seconds(20));
    if (!done) {
      socket_.cancel();
      io_.restart();
      io_.run();
      closed_ = false;
    }
    received_.append(bytes, count);
    return count != 0;
  }

  boost::asio::io_context io_;
  boost::asio::ip::tcp::socket socket_;
  std::string received_;
  bool closed_ = false;
};

}  // namespace mlos::api::http::wire
