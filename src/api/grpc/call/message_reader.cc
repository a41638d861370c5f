// SPDX-License-Identifier: MIT
#include "api/grpc/call/message_reader.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace mlos::api::grpc::call {

void WritePrefix(char* out, bool compressed, std::uint32_t size) {
  out[0] = compressed ? 1 : 0;
  for (int i = 0; i < 4; ++i) out[1 + i] = static_cast<char>(size >> (24 - 8 * i));
}

Result<bool> MessageReader::Read(std::string_view& data) {
  if (prefix_size_ < kPrefixBytes) {
    const std::size_t count = std::min(kPrefixBytes - prefix_size_, data.size());
    std::memcpy(prefix_.data() + prefix_size_, data.data(), count);
    prefix_size_ += count;
    data.remove_prefix(count);
    if (prefix_size_ < kPrefixBytes) return false;
    MLOS_TRY(Begin());
  }
  const std::size_t count = std::min(message_size_ - message_.bytes.size(), data.size());
  message_.bytes.Append(data.substr(0, count));
  if (!message_.bytes.status().ok()) return message_.bytes.status();
  data.remove_prefix(count);
  if (message_.bytes.size() < message_size_) return false;
  prefix_size_ = 0;
  return true;
}

Status MessageReader::Begin() {
  const auto flag = static_cast<unsigned char>(prefix_[0]);
  if (flag > 1) {
    return {Reason::kMalformedRequest,
            "the flag before a message is " + std::to_string(flag) + "; it must be 0 or 1"};
  }
  std::uint32_t size = 0;
  for (std::size_t i = 1; i < kPrefixBytes; ++i) {
    size = size << 8 | static_cast<unsigned char>(prefix_[i]);
  }
  if (size > bytes_max_) {
    return {Reason::kPayloadTooLarge, "the message has " + std::to_string(size) + " bytes; " +
                                          std::to_string(bytes_max_) + " are allowed"};
  }
  message_size_ = size;
  message_.bytes = net::ByteBuffer(budget_);
  message_.bytes.Expect(size);
  message_.compressed = flag == 1;
  return OkStatus();
}

}  // namespace mlos::api::grpc::call
