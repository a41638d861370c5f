// SPDX-License-Identifier: MIT
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <cstddef>
#include <memory>
#include <utility>

#include "base/unique_fd.h"
#include "net/byte_buffer.h"
#include "net/tls/session.h"

namespace mlos::net {

/// The bytes of one connection: a non-blocking TCP socket, or TLS over one. Each operation checks
/// once which of the two it is; over plain TCP that check is the only cost.
///
/// Handlers are called on the socket's executor. They keep the stream alive, and must keep the
/// memory that is read into alive. Thread-compatible.
class Stream {
 public:
  using Socket = boost::asio::ip::tcp::socket;

  /// `tls`, null for plain TCP, is a session on `socket`. `received` are bytes that were read from
  /// it already.
  Stream(Socket socket, std::unique_ptr<tls::Session> tls, ByteBuffer received = {})
      : socket_(std::move(socket)), tls_(std::move(tls)), received_(std::move(received)) {}

  bool encrypted() const { return tls_ != nullptr; }
  /// Bytes that were read before the stream was made; they come first.
  ByteBuffer TakeReceived() { return std::exchange(received_, ByteBuffer()); }
  /// Does the TLS handshake, which has to come first on an encrypted stream, and calls
  /// `handler(error)`, maybe before it returns.
  template <typename Handler>
  void Handshake(Handler handler) {
    const tls::Step step = tls_->Handshake();
    if (Waits(step)) {
      Await(step, [this, handler = std::move(handler)](const ErrorCode& error) mutable {
        if (error) {
          handler(error);
        } else {
          Handshake(std::move(handler));
        }
      });
    } else {
      handler(ErrorOf(step));
    }
  }

  /// Waits for bytes, reads up to `size_max` of them into `into`, and calls `handler(error, count)`
  /// later; eof if the peer has ended its side.
  template <typename Handler>
  void Read(char* into, std::size_t size_max, Handler handler) {
    if (tls_ == nullptr) {
      socket_.async_read_some(boost::asio::buffer(into, size_max), std::move(handler));
    } else {
      AwaitRead(tls_->buffered() ? tls::Step::kDone : tls::Step::kWantsRead, into, size_max,
                std::move(handler));
    }
  }

  /// Reads bytes that have already come. would_block if there are none or the stream is encrypted:
  /// then use Read.
  std::size_t TryRead(char* into, std::size_t size_max, boost::system::error_code& error) {
    if (tls_ == nullptr) return socket_.read_some(boost::asio::buffer(into, size_max), error);
    error = boost::asio::error::would_block;
    return 0;
  }

  /// Writes the beginning of `buffers` and returns its size; would_block if WaitWritable has to
  /// come first. Then the same bytes have to be given again; more may follow them.
  template <typename Buffers>
  std::size_t Write(const Buffers& buffers, boost::system::error_code& error) {
    if (tls_ == nullptr) return socket_.write_some(buffers, error);
    const auto end = boost::asio::buffer_sequence_end(buffers);
    auto it = boost::asio::buffer_sequence_begin(buffers);
    while (it != end && it->size() == 0) ++it;
    return it == end ? 0 : WriteTls(*it, error);
  }
  /// Calls `handler(error)` once the socket takes more.
  template <typename Handler>
  void WaitWritable(Handler handler) {
    socket_.async_wait(Socket::wait_write, std::move(handler));
  }

  /// Something has come that was not read.
  bool has_unread() const;
  boost::asio::ip::address local_address() const;
  /// Tells the peer that no more bytes follow; reading continues.
  void EndSending();
  /// Waiting handlers are called with operation_aborted, except one whose read has completed.
  void Cancel();
  void Close();
  /// Gives up the socket of a plain stream on which no handler waits.
  UniqueFd Release();

 private:
  using ErrorCode = boost::system::error_code;

  static bool Waits(tls::Step step) {
    return step == tls::Step::kWantsRead || step == tls::Step::kWantsWrite;
  }
  static ErrorCode ErrorOf(tls::Step step);
  std::size_t WriteTls(boost::asio::const_buffer buffer, ErrorCode& error);

  /// Calls `next(error)` once TLS can continue after `step`, which may be at once. On a closed
  /// socket always with an error: its descriptor number may belong to another socket by then.
  template <typename Next>
  void Await(tls::Step step, Next next) {
    auto go_on = [this, next = std::move(next)](const ErrorCode& error = {}) mutable {
      next(error || socket_.is_open() ? error : boost::asio::error::operation_aborted);
    };
    if (Waits(step)) {
      socket_.async_wait(step == tls::Step::kWantsRead ? Socket::wait_read : Socket::wait_write,
                         std::move(go_on));
    } else {
      boost::asio::post(socket_.get_executor(), std::move(go_on));
    }
  }

  template <typename Handler>
  void AwaitRead(tls::Step step, char* into, std::size_t size_max, Handler handler) {
    Await(step, [this, into, size_max, handler = std::move(handler)](ErrorCode error) mutable {
      std::size_t count = 0;
      if (!error) {
        const tls::Step next = tls_->Read(into, size_max, count);
        if (Waits(next)) return AwaitRead(next, into, size_max, std::move(handler));
        error = ErrorOf(next);
      }
      handler(error, count);
    });
  }

  Socket socket_;
  std::unique_ptr<tls::Session> tls_;
  ByteBuffer received_;
};

}  // namespace mlos::net
