// SPDX-License-Identifier: MIT
#include "net/tls/session.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/log.h"

namespace mlos::net::tls {
namespace {

// A handshake has less than ten messages. OpenSSL itself would read key updates, or refuse
// renegotiations, for as long as they arrive, and keep the thread from all other connections.
constexpr unsigned kIdleMessagesMax = 32;

const char* ReasonOfFailure() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  return reason != nullptr ? reason : "the connection was lost";
}

}  // namespace

void Session::Free::operator()(SSL* ssl) const { SSL_free(ssl); }

Session::Session(SSL* ssl, const Protocols& protocols) : ssl_(ssl), protocols_(protocols) {
  SSL_set_msg_callback(ssl, &OnMessage);
  SSL_set_msg_callback_arg(ssl, this);
}

Session::~Session() = default;

void Session::OnMessage(int sent, int /*version*/, int type, const void* /*message*/,
                        std::size_t /*size*/, SSL* ssl, void* self) {
  const bool idle = type == SSL3_RT_ALERT || (type == SSL3_RT_HANDSHAKE && sent == 0);
  if (!idle || ++static_cast<Session*>(self)->idle_messages_ <= kIdleMessagesMax) return;
  // Makes OpenSSL return from wherever it reads.
  SSL_set_shutdown(ssl, SSL_get_shutdown(ssl) | SSL_RECEIVED_SHUTDOWN);
}

Step Session::Handshake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  const Step step = result == 1 ? Step::kDone : StepOf(result);
  if (step == Step::kWantsRead || step == Step::kWantsWrite) return step;
  open_ = step == Step::kDone;
  buffered_ = SSL_has_pending(ssl_.get()) == 1;
  if (open_ && AgreedOnProtocol()) return Step::kDone;
  Log(LogLevel::kDebug, "TLS handshake failed",
      {{"why", open_ ? "the client offers only other protocols" : ReasonOfFailure()}});
  return Step::kFailed;
}

// A client that names other protocols only has been refused already.
bool Session::AgreedOnProtocol() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &size);
  return size != 0 || !protocols_.required;
}

Step Session::Read(char* into, std::size_t size_max, std::size_t& count) {
  count = 0;
  buffered_ = true;
  while (count < size_max && buffered_) {
    ERR_clear_error();
    std::size_t got = 0;
    const int result = SSL_read_ex(ssl_.get(), into + count, size_max - count, &got);
    if (result != 1) {
      const Step step = StepOf(result);
      // What ended it is met again by the next Read.
      return count != 0 ? Step::kDone : step;
    }
    idle_messages_ = 0;
    count += got;
    buffered_ = SSL_has_pending(ssl_.get()) == 1;
  }
  return Step::kDone;
}

Step Session::Write(const void* bytes, std::size_t size, std::size_t& count) {
  ERR_clear_error();
  const int result = SSL_write_ex(ssl_.get(), bytes, size, &count);
  if (result == 1) return Step::kDone;
  const Step step = StepOf(result);
  // A read cannot help, because we never renegotiate.
  return step == Step::kWantsWrite ? step : Step::kFailed;
}

Step Session::StepOf(int result) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      // Without SSL_MODE_AUTO_RETRY it has looked at all it had, but for the beginning of a record.
      buffered_ = false;
      return Step::kWantsRead;
    case SSL_ERROR_WANT_WRITE:
      return Step::kWantsWrite;
    case SSL_ERROR_ZERO_RETURN:
      return idle_messages_ > kIdleMessagesMax ? Step::kFailed : Step::kEnded;
    default:
      open_ = false;
      // Many clients end the connection without close_notify; HTTP itself notices a missing rest.
      return ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING
                 ? Step::kEnded
                 : Step::kFailed;
  }
}

void Session::End() {
  if (!open_) return;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
}

}  // namespace mlos::net::tls
