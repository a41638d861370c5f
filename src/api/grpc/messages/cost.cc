// SPDX-License-Identifier: MIT
#include "api/grpc/messages/cost.h"

namespace mlos::api::grpc::messages {
namespace {

// An object of the generated classes with its entry in a list or map.
constexpr std::uint64_t kMessageBytes = 256;
// A std::string with its allocation and its entry in a list.
constexpr std::uint64_t kStringBytes = 64;
// A number outside of a packed field, in a list that doubles as it grows.
constexpr std::uint64_t kNumberBytes = 16;
constexpr int kDepthMax = 8;  // deeper than any of our messages

/// Reads tags and skips what they announce.
class Scanner {
 public:
  explicit Scanner(std::string_view bytes) : bytes_(bytes) {}

  bool done() const { return bytes_.empty(); }
  /// 0 where the bytes are not well-formed any more.
  std::uint64_t Varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64 && !bytes_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(bytes_.front());
      bytes_.remove_prefix(1);
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    bytes_ = {};
    return 0;
  }
  std::string_view Take(std::uint64_t count) {
    const std::string_view taken = bytes_.substr(0, count);
    bytes_.remove_prefix(taken.size());
    return taken;
  }

 private:
  std::string_view bytes_;
};

const CostField* Find(const Cost& cost, std::uint64_t number) {
  for (const CostField& field : cost.fields) {
    if (field.number == number) return &field;
  }
  return nullptr;
}

std::uint64_t CostOf(std::string_view bytes, const Cost& cost, int depth) {
  std::uint64_t total = kMessageBytes;
  Scanner scanner(bytes);
  while (!scanner.done()) {
    const std::uint64_t tag = scanner.Varint();
    switch (tag & 7) {
      case 0:
        scanner.Varint();
        total += kNumberBytes;
        break;
      case 1:
        scanner.Take(8);
        total += kNumberBytes;
        break;
      case 2: {
        const std::string_view content = scanner.Take(scanner.Varint());
        const CostField* field = Find(cost, tag >> 3);
        if (field == nullptr) {
          total += kStringBytes + content.size();
        } else if (field->message == nullptr) {
          total += field->packed_factor * content.size();
        } else if (depth < kDepthMax) {
          total += CostOf(content, *field->message, depth + 1);
        }
        break;
      }
      case 5:
        scanner.Take(4);
        total += kNumberBytes;
        break;
      default:  // groups are unknown fields to all our messages, and kept as text
        total += kStringBytes;
        break;
    }
  }
  return total;
}

}  // namespace

const Cost kFlatCost{};

std::uint64_t MemoryCost(std::string_view bytes, const Cost& cost) {
  return CostOf(bytes, cost, 0);
}

}  // namespace mlos::api::grpc::messages
