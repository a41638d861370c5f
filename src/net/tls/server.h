// SPDX-License-Identifier: MIT
#pragma once

#include <openssl/types.h>

#include <memory>
#include <string>

#include "base/mutex.h"
#include "base/result.h"
#include "net/tls/session.h"

namespace mlos::net::tls {

/// The PEM files of TLS.
struct Files {
  std::string certificate;  ///< the server's, and behind it those that sign it
  std::string key;          ///< of the certificate; not encrypted
  /// Certificates that sign client certificates. If the file is named, every client needs a
  /// certificate.
  std::string client_ca;
};

/// Makes the TLS sessions of a server: TLS 1.2 or 1.3, its certificate, and the client certificates
/// that it accepts. SIGPIPE must be ignored, because OpenSSL writes without MSG_NOSIGNAL.
/// Thread-safe.
class Server {
 public:
  /// INVALID_CONFIG, whose message begins with the option at fault: tls_cert, tls_key or
  /// tls_client_ca.
  static Result<std::shared_ptr<Server>> Load(const Files& files);
  /// Reads the files again, for new connections. If that fails, as Load does, the old files stay in
  /// use.
  Status Reload(const Files& files);

  /// The session of a connection that has just been accepted; null if there is no memory.
  std::unique_ptr<Session> NewSession(int socket, const Protocols& protocols);

 private:
  explicit Server(std::shared_ptr<SSL_CTX> context) : context_(std::move(context)) {}

  Mutex mutex_;
  std::shared_ptr<SSL_CTX> context_ GUARDED_BY(mutex_);
};

}  // namespace mlos::net::tls
