// SPDX-License-Identifier: MIT
#include "net/stream.h"

namespace mlos::net {

boost::system::error_code Stream::ErrorOf(tls::Step step) {
  switch (step) {
    case tls::Step::kDone:
      return {};
    case tls::Step::kWantsRead:
    case tls::Step::kWantsWrite:
      return boost::asio::error::would_block;
    case tls::Step::kEnded:
      return boost::asio::error::eof;
    case tls::Step::kFailed:
      break;
  }
  return boost::asio::error::connection_aborted;
}

std::size_t Stream::WriteTls(boost::asio::const_buffer buffer, ErrorCode& error) {
  std::size_t count = 0;
  error = ErrorOf(tls_->Write(buffer.data(), buffer.size(), count));
  return count;
}

bool Stream::has_unread() const {
  ErrorCode ignored;
  return (tls_ != nullptr && tls_->buffered()) || socket_.available(ignored) != 0;
}

boost::asio::ip::address Stream::local_address() const {
  ErrorCode ignored;
  return socket_.local_endpoint(ignored).address();
}

void Stream::EndSending() {
  if (tls_ != nullptr) tls_->End();
  ErrorCode ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
}

void Stream::Cancel() {
  ErrorCode ignored;
  socket_.cancel(ignored);
}

UniqueFd Stream::Release() {
  ErrorCode error;
  UniqueFd fd(socket_.release(error));
  return error ? UniqueFd() : std::move(fd);
}

void Stream::Close() {
  if (tls_ != nullptr) tls_->End();
  ErrorCode ignored;
  socket_.close(ignored);
}

}  // namespace mlos::net
