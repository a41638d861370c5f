// SPDX-License-Identifier: MIT
#pragma once

#include <openssl/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace mlos::net::tls {

/// The protocols of a door over TLS (ALPN, RFC 7301).
struct Protocols {
  /// Best first, each behind a byte with its length: "\x02h2".
  std::string_view names;
  /// If true, a client must offer one of the protocols by ALPN. If false, a client without ALPN is
  /// accepted too; one that offers only other protocols never is.
  bool required = false;
};

/// How far one step of TLS came.
enum class Step : std::uint8_t {
  kDone,
  kWantsRead,   ///< can go on once the socket has more to read
  kWantsWrite,  ///< can go on once the socket takes more
  kEnded,       ///< the peer sends no more
  kFailed,
};

/// The server's side of one TLS connection on a non-blocking socket. The adapter of OpenSSL, used
/// instead of boost::asio::ssl::stream because that has neither writes that do not wait, which is
/// how the doors write, nor a way to give the buffers of idle connections back: it keeps 34 KiB for
/// each. Nothing may be called once the socket is closed. Thread-compatible.
class Session {
 public:
  /// Takes `ssl` over, which is set up to accept; `protocols` outlives it.
  Session(SSL* ssl, const Protocols& protocols);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  /// kFailed, with a line in the log, if the client cannot be accepted.
  Step Handshake();
  /// Reads up to `size_max` arrived bytes into `into`; kDone with at least one byte.
  Step Read(char* into, std::size_t size_max, std::size_t& count);
  /// Writes up to one record; kDone with at least one byte. After kWantsWrite the same bytes, at
  /// least, have to be given again, though they may lie elsewhere.
  Step Write(const void* bytes, std::size_t size, std::size_t& count);
  /// Sends close_notify, if the socket takes it now.
  void End();

  /// True if bytes were taken from the socket that no Read has returned yet.
  bool buffered() const { return buffered_; }

 private:
  static void OnMessage(int sent, int version, int type, const void* message, std::size_t size,
                        SSL* ssl, void* self);
  Step StepOf(int result);
  bool AgreedOnProtocol() const;

  struct Free {
    void operator()(SSL* ssl) const;
  };
  const std::unique_ptr<SSL, Free> ssl_;
  const Protocols& protocols_;
  bool buffered_ = false;
  bool open_ = false;           ///< the handshake is through, and nothing has failed since
  unsigned idle_messages_ = 0;  ///< of TLS itself, since the last byte of the application
};

}  // namespace mlos::net::tls
