// SPDX-License-Identifier: MIT
#include "api/http/oip/inference.h"

#include <cstddef>
#include <utility>

#include "net/coding.h"

namespace mlos::api::http::oip {
namespace {

// Writing or compressing this much takes about a millisecond.
constexpr std::size_t kSmallReplyBytes = 256 << 10;
constexpr std::size_t kSmallPackedBytes = 64 << 10;
// Below this, compressing costs more than it saves.
constexpr std::size_t kWorthPackingBytes = 1 << 10;

}  // namespace

bool Inference::IsLongToWrite(const engine::InferenceResponse& response) const {
  std::size_t bytes = 0;
  for (const auto& output : response.outputs) bytes += output.tensor.size_bytes();
  const bool packed = call().reply_coding() != wire::ContentCoding::kIdentity;
  return bytes > (packed ? kSmallPackedBytes : kSmallReplyBytes) && call().on_event_thread();
}

Result<wire::Reply> Inference::Pack(wire::Reply reply) {
  const wire::ContentCoding coding = call().reply_coding();
  if (coding == wire::ContentCoding::kIdentity || reply.body.size() < kWorthPackingBytes) {
    return reply;
  }
  net::ByteBuffer packed(budget());
  MLOS_TRY(net::Deflate(coding, reply.body.view(), packed));
  reply.body = std::move(packed);
  reply.content_encoding = wire::ToString(coding);
  return reply;
}

}  // namespace mlos::api::http::oip
