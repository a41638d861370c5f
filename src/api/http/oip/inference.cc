// SPDX-License-Identifier: MIT
#include "api/http/oip/inference.h"

#include <cstddef>
#include <utility>

#include "net/coding.h"

namespace mlos::api::http::oip {
namespace {

// Below this, compressing costs more than it saves.
constexpr std::size_t kWorthPackingBytes = 1 << 10;

}  // namespace

Result<wire::Reply> Inference::Pack(wire::Reply reply) {
  const wire::ContentCoding coding = call().reply_coding();
  if (coding == wire::ContentCoding::kIdentity) return reply;
  if (reply.source != nullptr) {
    reply.source = MLOS_TRY(net::DeflatedBody::Create(coding, std::move(reply.source)));
  } else if (reply.body.size() < kWorthPackingBytes) {
    return reply;
  } else {
    net::ByteBuffer packed(budget());
    MLOS_TRY(net::Deflate(coding, reply.body.view(), packed));
    reply.body = std::move(packed);
  }
  reply.content_encoding = wire::ToString(coding);
  return reply;
}

}  // namespace mlos::api::http::oip
