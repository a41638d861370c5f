// SPDX-License-Identifier: MIT
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>

#include "base/result.h"
#include "json/number.h"
#include "tensor/dtype.h"
#include "tensor/float16.h"

// Reading one JSON value as an element of each dtype. Where `Read` returns false, ExplainElement
// tells from the text of the value why.
namespace mlos::api::http::tensors {

using simdjson::ondemand::value;

/// Why `token`, the text of a JSON value, is no element of `dtype`: VALUE_OUT_OF_RANGE,
/// DTYPE_MISMATCH or MALFORMED_JSON.
Status ExplainElement(std::string_view token, tensor::DType dtype);

/// The float that JSON has no number for and `text` names: NaN, Infinity or -Infinity.
std::optional<double> SpecialFloat(std::string_view text);
/// The same for `token`, which may have space behind it. Such a token is no JSON, but Python's json
/// module and others write it.
std::optional<double> BareSpecialFloat(std::string_view token);

/// The type of a value in a tensor; a bare special float is a number. MALFORMED_JSON.
Result<simdjson::ondemand::json_type> TypeOfElement(value& from);

struct Float32Codec {
  using Type = float;
  static constexpr tensor::DType kDType = tensor::DType::kFloat32;
  static constexpr bool kFloat = true;

  static Type FromDouble(double number) { return static_cast<float>(number); }
  [[gnu::always_inline]] static bool Read(value& from, Type& out) {
    double number;
    if (from.get_double().get(number) != simdjson::SUCCESS) return false;
    if (!json::RoundsOnce(number)) [[unlikely]] {
      return json::RoundCarefully(number, from.raw_json_token(), out);
    }
    out = static_cast<float>(number);
    return true;
  }
};

struct Float64Codec {
  using Type = double;
  static constexpr tensor::DType kDType = tensor::DType::kFloat64;
  static constexpr bool kFloat = true;

  static Type FromDouble(double number) { return number; }
  static bool Read(value& from, Type& out) {
    return from.get_double().get(out) == simdjson::SUCCESS;
  }
};

/// float16 and bfloat16, which are kept as their bits.
template <tensor::DType kType, std::uint16_t (*kConvert)(double), std::uint16_t kInfinityBits>
struct HalfCodec {
  using Type = std::uint16_t;
  static constexpr tensor::DType kDType = kType;
  static constexpr bool kFloat = true;

  static Type FromDouble(double number) { return kConvert(number); }
  static bool Read(value& from, Type& out) {
    double number;
    if (from.get_double().get(number) != simdjson::SUCCESS) return false;
    out = kConvert(number);
    return (out & 0x7fff) != kInfinityBits;
  }
};

using Float16Codec = HalfCodec<tensor::DType::kFloat16, &tensor::Float16FromDouble, 0x7c00>;
using Bfloat16Codec = HalfCodec<tensor::DType::kBfloat16, &tensor::Bfloat16FromDouble, 0x7f80>;

template <typename T, tensor::DType kType>
struct IntegerCodec {
  using Type = T;
  static constexpr tensor::DType kDType = kType;
  static constexpr bool kFloat = false;

  static bool Read(value& from, Type& out) {
    using Wide = std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>;
    Wide number;
    if (from.get(number) != simdjson::SUCCESS) return false;
    out = static_cast<T>(number);
    return out == number;
  }
};

struct BoolCodec {
  using Type = std::uint8_t;
  static constexpr tensor::DType kDType = tensor::DType::kBool;
  static constexpr bool kFloat = false;

  static bool Read(value& from, Type& out) {
    bool flag;
    if (from.get_bool().get(flag) == simdjson::SUCCESS) {
      out = flag ? 1 : 0;
      return true;
    }
    std::uint64_t number;
    if (from.get_uint64().get(number) != simdjson::SUCCESS) return false;
    out = static_cast<Type>(number);
    return number <= 1;
  }
};

}  // namespace mlos::api::http::tensors
