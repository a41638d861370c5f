// SPDX-License-Identifier: MIT
#include "net/tls/server.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <filesystem>
#include <string_view>
#include <utility>
#include <vector>

#include "base/files.h"
#include "base/log.h"

namespace mlos::net::tls {
namespace {

constexpr std::uint64_t kFileBytesMax = 1 << 20;
// 112 bits: no RSA or DSA key below 2048 bits, no SHA-1 signature.
constexpr int kSecurityLevel = 2;
// TLS 1.2 suites with forward secrecy and authenticated encryption only. All suites of 1.3 have
// both.
constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

Status Bad(std::string_view option, std::string_view why) {
  return {Reason::kInvalidConfig, std::string(option) + ": " + std::string(why)};
}

// With OpenSSL's own words, such as "ee key too small".
Status Refused(std::string_view option, std::string_view what) {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  return Bad(option, std::string(what) + (reason != nullptr ? std::string(": ") + reason : ""));
}

Result<std::string> ReadPem(std::string_view option, const std::string& path) {
  Result<std::string> text = ReadFile(path, kFileBytesMax);
  if (!text.ok()) return Bad(option, text.status().message());
  return text;
}

Result<std::vector<Certificate>> ReadCertificates(std::string_view option,
                                                  const std::string& path) {
  const std::string text = MLOS_TRY(ReadPem(option, path));
  const Bio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free);
  std::vector<Certificate> certificates;
  ERR_clear_error();
  while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    certificates.emplace_back(certificate, &X509_free);
  }
  // At the end of a good file OpenSSL finds no further start line; any other error is a damaged
  // certificate.
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (certificates.empty() && at_end) return Bad(option, "there is no certificate in the file");
  if (!at_end) return Refused(option, "a certificate of the file cannot be read");
  return certificates;
}

Status UseCertificate(SSL_CTX& context, const std::string& path) {
  std::vector<Certificate> chain = MLOS_TRY(ReadCertificates("tls_cert", path));
  X509& own = *chain.front();
  if (SSL_CTX_use_certificate(&context, &own) != 1) {
    return Refused("tls_cert", "the certificate cannot be used");
  }
  for (std::size_t i = 1; i < chain.size(); ++i) {
    if (SSL_CTX_add1_chain_cert(&context, chain[i].get()) != 1) {
      return Refused("tls_cert", "a certificate of the chain cannot be used");
    }
  }
  if (X509_cmp_current_time(X509_get0_notAfter(&own)) < 0) {
    Log(LogLevel::kWarning, "the TLS certificate has expired; clients will refuse it");
  }
  return OkStatus();
}

// Instead of OpenSSL's own, which asks on the terminal.
int NoPassword(char*, int, int, void*) { return -1; }

Status UseKey(SSL_CTX& context, const std::string& path) {
  const std::string text = MLOS_TRY(ReadPem("tls_key", path));
  std::error_code error;
  const auto permissions = std::filesystem::status(path, error).permissions();
  if (error || (permissions & std::filesystem::perms::others_all) != std::filesystem::perms::none) {
    return Bad(
        "tls_key",
        "users other than its owner and group may open the file; forbid that with chmod o-rwx");
  }
  const Bio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free);
  ERR_clear_error();
  const Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, &NoPassword, nullptr), &EVP_PKEY_free);
  if (key == nullptr) return Bad("tls_key", "the file has no unencrypted private key");
  if (X509_check_private_key(SSL_CTX_get0_certificate(&context), key.get()) != 1) {
    return Bad("tls_key", "the key does not belong to the certificate in tls_cert");
  }
  if (SSL_CTX_use_PrivateKey(&context, key.get()) != 1) {
    return Refused("tls_key", "the key cannot be used");
  }
  return OkStatus();
}

Status RequireClients(SSL_CTX& context, const std::string& path) {
  const std::vector<Certificate> signers = MLOS_TRY(ReadCertificates("tls_client_ca", path));
  X509_STORE* store = SSL_CTX_get_cert_store(&context);
  for (const Certificate& signer : signers) {
    if (X509_STORE_add_cert(store, signer.get()) != 1 ||
        SSL_CTX_add_client_CA(&context, signer.get()) != 1) {
      return Refused("tls_client_ca", "a certificate cannot be used");
    }
  }
  // Each certificate of the file is trusted, also without the authority that signed it.
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
  SSL_CTX_set_verify(&context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return OkStatus();
}

int SelectProtocol(SSL* ssl, const unsigned char** name, unsigned char* size,
                   const unsigned char* offered, unsigned offered_size, void*) {
  const std::string_view ours = static_cast<const Protocols*>(SSL_get_app_data(ssl))->names;
  unsigned char* chosen = nullptr;
  const int found =
      SSL_select_next_proto(&chosen, size, reinterpret_cast<const unsigned char*>(ours.data()),
                            static_cast<unsigned>(ours.size()), offered, offered_size);
  *name = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

bool SetRules(SSL_CTX& context) {
  SSL_CTX_set_security_level(&context, kSecurityLevel);
  SSL_CTX_set_options(&context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                    SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  // Clients keep their sessions themselves, in tickets.
  SSL_CTX_set_session_cache_mode(&context, SSL_SESS_CACHE_OFF);
  // The doors write one record at a time, may move the bytes before they retry, and keep no buffers
  // for idle connections.
  SSL_CTX_set_mode(&context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                 SSL_MODE_RELEASE_BUFFERS);
  // Reads return after each message of TLS itself, so that Session can count them.
  SSL_CTX_clear_mode(&context, SSL_MODE_AUTO_RETRY);
  // One read of the socket takes several records.
  SSL_CTX_set_read_ahead(&context, 1);
  SSL_CTX_set_alpn_select_cb(&context, &SelectProtocol, nullptr);
  return SSL_CTX_set_min_proto_version(&context, TLS1_2_VERSION) == 1 &&
         SSL_CTX_set_cipher_list(&context, kCiphers) == 1;
}

Result<std::shared_ptr<SSL_CTX>> MakeContext(const Files& files) {
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free);
  if (context == nullptr || !SetRules(*context)) return Refused("tls_cert", "TLS is not available");
  MLOS_TRY(UseCertificate(*context, files.certificate));
  MLOS_TRY(UseKey(*context, files.key));
  if (!files.client_ca.empty()) MLOS_TRY(RequireClients(*context, files.client_ca));
  return context;
}

}  // namespace

Result<std::shared_ptr<Server>> Server::Load(const Files& files) {
  std::shared_ptr<SSL_CTX> context = MLOS_TRY(MakeContext(files));
  return std::shared_ptr<Server>(new Server(std::move(context)));
}

Status Server::Reload(const Files& files) {
  std::shared_ptr<SSL_CTX> context = MLOS_TRY(MakeContext(files));
  // Open sessions keep the old context alive.
  const MutexLock lock(mutex_);
  context_ = std::move(context);
  return OkStatus();
}

std::unique_ptr<Session> Server::NewSession(int socket, const Protocols& protocols) {
  std::shared_ptr<SSL_CTX> context;
  {
    const MutexLock lock(mutex_);
    context = context_;
  }
  SSL* ssl = SSL_new(context.get());
  if (ssl == nullptr) return nullptr;
  auto session = std::make_unique<Session>(ssl, protocols);
  SSL_set_app_data(ssl, const_cast<Protocols*>(&protocols));
  // A session of one door is not one of the other.
  const auto* door = reinterpret_cast<const unsigned char*>(protocols.names.data());
  const bool ready =
      SSL_set_session_id_context(ssl, door, static_cast<unsigned>(protocols.names.size())) == 1 &&
      SSL_set_fd(ssl, socket) == 1;
  if (!ready) return nullptr;
  SSL_set_accept_state(ssl);
  return session;
}

}  // namespace mlos::net::tls
