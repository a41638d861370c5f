// SPDX-License-Identifier: MIT
#pragma once

#include <simdjson.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include "api/http/tensors/element.h"
#include "api/http/tensors/request_memory.h"
#include "base/result.h"
#include "json/float_row.h"
#include "json/json_error.h"
#include "tensor/tensor.h"

// Where the elements of an input go while they are read. A sink has
//   bool Take(value&)       the fast way: reads and keeps an element, or returns false
//   Status TakeSlow(value&) after Take was false: keeps the element after all, or says why not
//   std::size_t count()
//   kTakesRows, and where it is true
//   std::optional<std::int64_t> TakeRow(text)   the faster way for an array of plain numbers
//   Result<Tensor> Finish(Shape)
namespace mlos::api::http::tensors {

/// Elements of fixed size, in the memory that becomes the tensor's. Thread-compatible.
template <typename Codec>
class NumberSink {
 public:
  using Type = typename Codec::Type;
  static constexpr bool kTakesRows = std::is_same_v<Codec, Float32Codec>;

  /// `count_hint` elements are expected.
  NumberSink(std::size_t count_hint, RequestMemory& memory)
      : count_hint_(count_hint), memory_(&memory) {}

  // Inlined, or the call would cost a tenth of the parse.
  [[gnu::always_inline]] bool Take(value& from) {
    if (next_ == end_ && !Grow()) [[unlikely]] {
      return false;
    }
    if (!Codec::Read(from, *next_)) [[unlikely]] {
      return false;
    }
    ++next_;
    return true;
  }

  /// Keeps the elements of an array, whose text begins with its '[' and is read no further than to
  /// its ']', and returns how many there are. Where one of them is no plain number, or there is no
  /// memory, none is kept.
  std::optional<std::int64_t> TakeRow(std::string_view text) {
    const std::size_t before = count();
    json::FloatRow row{.stop = json::FloatRow::Stop::kFull, .next = text.data() + 1};
    while (row.stop == json::FloatRow::Stop::kFull && (next_ != end_ || Grow())) {
      const auto room = static_cast<std::size_t>(end_ - next_);
      row = json::ReadFloatRow(row.next, text.data() + text.size(), next_, room);
      next_ += row.count;
    }
    if (row.stop == json::FloatRow::Stop::kEnd) return static_cast<std::int64_t>(count() - before);
    next_ = begin() + before;
    return std::nullopt;
  }

  Status TakeSlow(value& from) {
    MLOS_TRY(std::exchange(failure_, {}));
    const std::string_view token = from.raw_json_token();
    if constexpr (Codec::kFloat) {
      // An array steps over an element that is only looked at.
      if (const auto bare = BareSpecialFloat(token)) return Keep(*bare);
      std::string_view text;
      if (token.starts_with('"') && from.get_string().get(text) == simdjson::SUCCESS) {
        return TakeSpecial(text);
      }
    }
    return ExplainElement(token, Codec::kDType);
  }

  std::size_t count() const { return static_cast<std::size_t>(next_ - begin()); }

  Result<tensor::Tensor> Finish(tensor::Shape shape) {
    if (buffer_.data() == nullptr) Grow();  // an empty tensor has an address as well
    MLOS_TRY(std::exchange(failure_, {}));
    return tensor::Tensor::FromBuffer(Codec::kDType, std::move(shape), std::move(buffer_));
  }

 private:
  Type* begin() const { return static_cast<Type*>(buffer_.data()); }

  Status Keep(double number) {
    *next_++ = Codec::FromDouble(number);
    return OkStatus();
  }

  // The replies write these floats in the same way.
  Status TakeSpecial(std::string_view text) {
    if (const auto special = SpecialFloat(text)) return Keep(*special);
    return {Reason::kDtypeMismatch, "the string " + json::Quote(text) +
                                        " is not \"NaN\", \"Infinity\" or \"-Infinity\", the only "
                                        "ones a float may be"};
  }

  bool Grow() {
    const std::size_t used = count();
    const std::size_t capacity = std::max({used * 2, count_hint_, std::size_t{8}});
    failure_ = Allocate(capacity, used);
    return failure_.ok();
  }

  Status Allocate(std::size_t capacity, std::size_t used) {
    MLOS_TRY(memory_->Add((capacity - used) * sizeof(Type)));
    tensor::Buffer grown = MLOS_TRY(tensor::Buffer::Allocate(capacity * sizeof(Type)));
    if (used != 0) std::memcpy(grown.data(), buffer_.data(), used * sizeof(Type));
    buffer_ = std::move(grown);
    next_ = begin() + used;
    end_ = begin() + capacity;
    return OkStatus();
  }

  std::size_t count_hint_;
  RequestMemory* memory_;
  tensor::Buffer buffer_;
  Type* next_ = nullptr;
  Type* end_ = nullptr;
  Status failure_;
};

/// Strings. Thread-compatible.
class StringSink {
 public:
  static constexpr bool kTakesRows = false;

  StringSink(std::size_t /*count_hint*/, RequestMemory& memory) : memory_(&memory) {}

  bool Take(value& from) {
    std::string_view text;
    if (from.get_string().get(text) != simdjson::SUCCESS) return false;
    // Held twice while the tensor is put together.
    failure_ = memory_->Add(2 * (text.size() + sizeof(tensor::StringRef)));
    if (!failure_.ok()) return false;
    builder_.Add(text);
    return true;
  }

  Status TakeSlow(value& from) {
    MLOS_TRY(std::exchange(failure_, {}));
    const std::string_view token = from.raw_json_token();
    if (token.starts_with('"')) return json::JsonError(simdjson::STRING_ERROR);
    return ExplainElement(token, tensor::DType::kString);
  }

  std::size_t count() const { return builder_.size(); }
  Result<tensor::Tensor> Finish(tensor::Shape shape) { return builder_.Build(std::move(shape)); }

 private:
  RequestMemory* memory_;
  tensor::StringTensorBuilder builder_;
  Status failure_;
};

}  // namespace mlos::api::http::tensors
