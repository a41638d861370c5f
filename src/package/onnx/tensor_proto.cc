// SPDX-License-Identifier: MIT
#include "package/onnx/tensor_proto.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "base/files.h"
#include "base/text.h"
#include "package/onnx/fields.h"

namespace mlos::package::onnx {
namespace {

constexpr std::int64_t kString = 8;

/// Bits of an element in raw data; 0 for strings and for types this version does not know.
std::uint64_t ElementBits(std::int64_t data_type) {
  constexpr std::uint8_t kBits[] = {0,  32,  8,  8, 16, 16, 32, 64, 0, 8, 16, 64, 32, 64,
                                    64, 128, 16, 8, 8,  8,  8,  4,  4, 4, 8,  2,  2};
  const auto index = static_cast<std::uint64_t>(data_type);
  return index < std::size(kBits) ? kBits[index] : 0;
}

/// Exporters write "./w" and "a//w" for "w" and "a/w".
std::string WithoutEmptySteps(std::string_view path) {
  if (path.starts_with('/') || path.ends_with('/')) return std::string(path);
  std::string normal;
  while (!path.empty()) {
    const std::string_view step = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(step.size() + 1, path.size()));
    if (step.empty() || step == ".") continue;
    if (!normal.empty()) normal += '/';
    normal += step;
  }
  return normal;
}

/// Reads one TensorProto.
class TensorReader {
 public:
  explicit TensorReader(WireReader& wire) : wire_(wire) {}

  Result<TensorSummary> Read(Field field) {
    message_bytes_ = wire_.BytesLeft();
    MLOS_TRY(wire_.Nested(field, [this](Field inner) { return OnField(inner); }));
    message_bytes_ -= wire_.BytesLeft();
    MLOS_TRY(CountBytes());
    if (!external_) return std::move(summary_);
    MLOS_TRY(CheckExternal());
    summary_.external = std::move(reference_);
    return std::move(summary_);
  }

 private:
  Status OnField(Field field) {
    switch (field.number) {
      case tensor_field::kDims:
        return wire_.Varints(field, [this](std::uint64_t dim) { return AddDim(dim); });
      case tensor_field::kDataType:
        summary_.data_type = static_cast<std::int64_t>(MLOS_TRY(wire_.Varint(field)));
        return OkStatus();
      case tensor_field::kName:
        summary_.name = MLOS_TRY(wire_.Text(field, kNameBytesMax));
        return OkStatus();
      case tensor_field::kRawData:
        MLOS_TRY(wire_.Once(field, seen_));
        raw_bytes_ = MLOS_TRY(wire_.SkipBytes(field));
        summary_.raw_offset_bytes = static_cast<std::uint64_t>(wire_.Position() - *raw_bytes_);
        return OkStatus();
      case tensor_field::kExternalData:
        return ReadEntry(field);
      case tensor_field::kDataLocation:
        external_ |= MLOS_TRY(wire_.Varint(field)) == tensor_field::kExternal;
        return OkStatus();
      default:
        return wire_.Skip(field);
    }
  }

  Status Fault(std::string_view problem) const {
    return wire_.Error("tensor '" + Excerpt(summary_.name) + "' " + std::string(problem));
  }

  Status AddDim(std::uint64_t dim) {
    if (static_cast<std::int64_t>(dim) < 0) return Fault("has a negative dimension");
    if (summary_.dims.size() == tensor::kRankMax) return Fault("has too many dimensions");
    summary_.dims.push_back(static_cast<std::int64_t>(dim));
    // A dimension of 0 empties the tensor, whatever the others multiply to.
    if (dim == 0) empty_ = true;
    if (dim != 0 && __builtin_mul_overflow(elements_, dim, &elements_)) {
      return Fault("has dimensions that overflow");
    }
    return OkStatus();
  }

  /// Inline values take at least a quarter of a byte each (int2), so that a small file cannot
  /// declare a huge tensor.
  Status CountBytes() {
    constexpr std::uint64_t kElementsPerByteMax = 4;
    const std::uint64_t elements = empty_ ? 0 : elements_;
    const std::uint64_t bits = ElementBits(summary_.data_type);
    std::uint64_t total_bits = 0;
    if (__builtin_mul_overflow(elements, bits, &total_bits)) {
      return Fault("has dimensions that overflow");
    }
    summary_.bytes = total_bits / 8 + (total_bits % 8 != 0 ? 1 : 0);
    if (external_) return OkStatus();
    if (elements / kElementsPerByteMax > static_cast<std::uint64_t>(message_bytes_)) {
      return Fault("declares " + std::to_string(elements) + " elements and does not hold them");
    }
    if (!raw_bytes_ || bits == 0 || static_cast<std::uint64_t>(*raw_bytes_) == summary_.bytes) {
      return OkStatus();
    }
    return Fault("needs " + std::to_string(summary_.bytes) + " bytes and holds " +
                 std::to_string(*raw_bytes_));
  }

  Status ReadEntry(Field field) {
    std::string key;
    std::string value;
    external_ = true;
    MLOS_TRY(wire_.Nested(field, [&](Field inner) -> Status {
      if (inner.number == entry_field::kKey) {
        key = MLOS_TRY(wire_.Text(inner, kNameBytesMax));
      } else if (inner.number == entry_field::kValue) {
        value = MLOS_TRY(wire_.Text(inner, kNameBytesMax));
      } else {
        return wire_.Skip(inner);
      }
      return OkStatus();
    }));
    return AddEntry(key, std::move(value));
  }

  Status AddEntry(const std::string& key, std::string value) {
    if (key == "location") return SetOnce(has_location_, reference_.location, std::move(value));
    if (key == "checksum") return SetOnce(has_checksum_, reference_.checksum, std::move(value));
    if (key == "offset") {
      std::optional<std::uint64_t> offset;
      MLOS_TRY(SetNumber(has_offset_, offset, value));
      reference_.offset_bytes = offset.value_or(0);
      return OkStatus();
    }
    if (key == "length") return SetNumber(has_length_, reference_.length_bytes, value);
    return Fault("refers to external data with the unknown key '" + Excerpt(key) + "'");
  }

  Status SetOnce(bool& has, std::string& target, std::string value) {
    if (has) return Fault("says twice where its external data is");
    has = true;
    target = std::move(value);
    return OkStatus();
  }

  Status SetNumber(bool& has, std::optional<std::uint64_t>& target, const std::string& value) {
    std::string text;
    MLOS_TRY(SetOnce(has, text, value));
    std::uint64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, number);
    constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (text.empty() || parsed.ec != std::errc() || parsed.ptr != end || number > kMax) {
      return Fault("refers to external data at '" + Excerpt(value) +
                   "', which is not a whole number of bytes");
    }
    target = number;
    return OkStatus();
  }

  Status CheckExternal() {
    if (summary_.data_type == kString) return Fault("holds strings, which cannot be external");
    if (raw_bytes_.value_or(0) != 0) return Fault("has data both inside and outside the file");
    std::string& location = reference_.location;
    location = WithoutEmptySteps(location);
    if (!has_location_) return Fault("does not say where its external data is");
    // ONNX Runtime reads memory of its own process for locations of this form.
    const bool in_memory = location.find("_ORT_MEM_ADDR_") != std::string::npos;
    if (in_memory || !IsSafeRelativePath(location)) {
      return Fault("refers to external data at '" + Excerpt(location) +
                   "', which is not a plain path below the model's folder");
    }
    reference_.tensor = summary_.name;
    if (ElementBits(summary_.data_type) != 0) reference_.tensor_bytes = summary_.bytes;
    return OkStatus();
  }

  WireReader& wire_;
  TensorSummary summary_;
  ExternalData reference_;
  SeenFields seen_ = 0;
  std::uint64_t elements_ = 1;
  bool empty_ = false;
  bool external_ = false;
  bool has_location_ = false;
  bool has_offset_ = false;
  bool has_length_ = false;
  bool has_checksum_ = false;
  std::optional<int> raw_bytes_;
  int message_bytes_ = 0;
};

}  // namespace

Result<TensorSummary> ReadTensor(WireReader& wire, Field field) {
  return TensorReader(wire).Read(field);
}

}  // namespace mlos::package::onnx
