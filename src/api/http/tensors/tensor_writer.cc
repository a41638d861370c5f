// SPDX-License-Identifier: MIT
#include "api/http/tensors/tensor_writer.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "tensor/float16.h"

namespace mlos::api::http::tensors {
namespace {

using tensor::DType;
using tensor::StringRef;
using tensor::Tensor;

// Enough for any number: "-2.2250738585072014e-308", "\"-Infinity\"", and a comma.
constexpr std::size_t kNumberBytesMax = 32;
// Room is asked for once for this many numbers.
constexpr std::size_t kRunLength = 512;
// Brackets between two rows of the highest rank, and a comma.
constexpr std::size_t kBracketBytesMax = 2 * tensor::kRankMax + 1;
// What a byte of a string becomes at most.
constexpr std::size_t kEscapeBytesMax = 6;

std::size_t RoomIn(const net::ByteBuffer& out, std::size_t size_max) {
  return size_max - std::min(size_max, out.size());
}

char* Put(char* out, std::string_view text) {
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

template <typename T>
[[gnu::always_inline]] inline char* PutNumber(char* out, T number) {
  if constexpr (std::is_floating_point_v<T>) {
    if (!std::isfinite(number)) [[unlikely]] {
      if (std::isnan(number)) return Put(out, "\"NaN\"");
      return Put(out, number > 0 ? "\"Infinity\"" : "\"-Infinity\"");
    }
    // "-0" is an integer to many a reader, and loses its sign.
    if (number == 0 && std::signbit(number)) [[unlikely]] {
      return Put(out, "-0.0");
    }
  }
  return std::to_chars(out, out + kNumberBytesMax, number).ptr;
}

/// An element of the stored type `T` as the number that `kShow` makes of it.
template <typename T, auto kShow>
char* PutShown(char* out, T element) {
  return PutNumber(out, kShow(element));
}

char* PutBool(char* out, std::uint8_t element) { return Put(out, element != 0 ? "true" : "false"); }

bool HasTooManyEmptyRows(const Tensor& tensor) {
  if (tensor.element_count() != 0) return false;
  std::int64_t rows = 1;
  for (const std::int64_t size : tensor.shape()) {
    if (size == 0) return false;
    if (size > kEmptyRowsMax / rows) return true;
    rows *= size;
  }
  return false;
}

tensor::Shape ShapeIn(const Tensor& tensor, Form form) {
  if (form == Form::kElement || tensor.dtype() == DType::kUndefined) return {};
  if (form == Form::kFlat) return {tensor.element_count()};
  if (HasTooManyEmptyRows(tensor)) return {0};
  const tensor::Shape& shape = tensor.shape();
  const auto* const empty = std::find(shape.begin(), shape.end(), 0);
  return {shape.begin(), empty == shape.end() ? empty : empty + 1};
}

// Of a number with a comma.
std::size_t ElementBytesMax(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
    case DType::kFloat16:
    case DType::kBfloat16:
      return std::string_view("-1.17549435e-38,").size();
    case DType::kInt8:
    case DType::kUint8:
      return std::string_view("-128,").size();
    case DType::kInt16:
    case DType::kUint16:
      return std::string_view("-32768,").size();
    case DType::kInt32:
    case DType::kUint32:
      return std::string_view("-2147483648,").size();
    case DType::kBool:
      return std::string_view("false,").size();
    case DType::kString:
      return std::string_view("\"\",").size();
    default:
      return kNumberBytesMax;
  }
}

}  // namespace

TensorText::TensorText(const Tensor& tensor, Form form)
    : tensor_(&tensor), shape_(ShapeIn(tensor, form)) {
  for (const std::int64_t size : shape_) {
    rows_ *= row_size_;
    row_size_ = static_cast<std::size_t>(size);
  }
}

std::uint64_t TensorText::size_max() const {
  std::uint64_t size = rows_ * (2 * shape_.size() + 1);
  size += rows_ * row_size_ * ElementBytesMax(tensor_->dtype());
  if (tensor_->dtype() != DType::kString) return size;
  for (const StringRef& element : tensor_->elements<StringRef>()) {
    size += element.size * kEscapeBytesMax;
  }
  return size;
}

bool TensorText::Append(net::ByteBuffer& out, std::size_t size_max) {
  while (!ended_) {
    if (!begun_) {
      if (RoomIn(out, size_max) < kBracketBytesMax) return false;
      AppendBrackets(out);
      begun_ = true;
      ended_ = row_ == rows_;
    } else {
      if (!AppendRow(out, size_max)) return false;
      begun_ = false;
      column_ = 0;
      ++row_;
    }
  }
  return out.status().ok();
}

void TensorText::AppendBrackets(net::ByteBuffer& out) {
  char* const start = out.Prepare(kBracketBytesMax);
  if (start == nullptr) return;
  char* end = start;
  if (row_ == 0) {
    end = std::fill_n(end, shape_.size(), '[');
  } else if (row_ == rows_) {
    end = std::fill_n(end, shape_.size(), ']');
  } else if (const std::size_t depth = ArraysEnded(); depth == 1) [[likely]] {
    end = Put(end, "],[");
  } else {
    end = std::fill_n(end, depth, ']');
    *end++ = ',';
    end = std::fill_n(end, depth, '[');
  }
  out.Commit(static_cast<std::size_t>(end - start));
}

// Between two rows as many arrays end, and begin, as have come to the end of a dimension.
std::size_t TensorText::ArraysEnded() {
  std::size_t ended = 1;
  std::size_t dim = shape_.size() - 1;
  // Counted, as most rows end here and a division takes as long as a number.
  if (++row_of_array_ != static_cast<std::size_t>(shape_[--dim])) return ended;
  row_of_array_ = 0;
  std::size_t array = row_ / static_cast<std::size_t>(shape_[dim]);
  for (++ended; dim != 0 && array % static_cast<std::size_t>(shape_[dim - 1]) == 0; ++ended) {
    array /= static_cast<std::size_t>(shape_[--dim]);
  }
  return ended;
}

bool TensorText::AppendRow(net::ByteBuffer& out, std::size_t size_max) {
  switch (tensor_->dtype()) {
    case DType::kFloat32:
      return AppendElements<float, &PutNumber<float>>(out, size_max);
    case DType::kFloat64:
      return AppendElements<double, &PutNumber<double>>(out, size_max);
    case DType::kFloat16:
      return AppendElements<std::uint16_t, &PutShown<std::uint16_t, &tensor::Float16ToFloat>>(
          out, size_max);
    case DType::kBfloat16:
      return AppendElements<std::uint16_t, &PutShown<std::uint16_t, &tensor::Bfloat16ToFloat>>(
          out, size_max);
    case DType::kInt8:
      return AppendElements<std::int8_t, &PutNumber<std::int8_t>>(out, size_max);
    case DType::kInt16:
      return AppendElements<std::int16_t, &PutNumber<std::int16_t>>(out, size_max);
    case DType::kInt32:
      return AppendElements<std::int32_t, &PutNumber<std::int32_t>>(out, size_max);
    case DType::kInt64:
      return AppendElements<std::int64_t, &PutNumber<std::int64_t>>(out, size_max);
    case DType::kUint8:
      return AppendElements<std::uint8_t, &PutNumber<std::uint8_t>>(out, size_max);
    case DType::kUint16:
      return AppendElements<std::uint16_t, &PutNumber<std::uint16_t>>(out, size_max);
    case DType::kUint32:
      return AppendElements<std::uint32_t, &PutNumber<std::uint32_t>>(out, size_max);
    case DType::kUint64:
      return AppendElements<std::uint64_t, &PutNumber<std::uint64_t>>(out, size_max);
    case DType::kBool:
      return AppendElements<std::uint8_t, &PutBool>(out, size_max);
    case DType::kString:
      return AppendStrings(out, size_max);
    case DType::kUndefined:
      out.Append("null");
      return true;
  }
  return true;
}

template <typename T, auto kPut>
bool TensorText::AppendElements(net::ByteBuffer& out, std::size_t size_max) {
  const T* const elements = row_data<T>();
  while (column_ != row_size_) {
    const std::size_t run =
        std::min({row_size_ - column_, kRunLength, RoomIn(out, size_max) / kNumberBytesMax});
    char* const start = run == 0 ? nullptr : out.Prepare(run * kNumberBytesMax);
    if (start == nullptr) return false;
    char* end = start;
    for (const T* next = elements + column_; next != elements + column_ + run; ++next) {
      end = kPut(end, *next);
      *end++ = ',';
    }
    column_ += run;
    if (column_ == row_size_) --end;  // no comma after the last
    out.Commit(static_cast<std::size_t>(end - start));
  }
  return true;
}

bool TensorText::AppendStrings(net::ByteBuffer& out, std::size_t size_max) {
  const StringRef* const elements = row_data<StringRef>();
  while (column_ != row_size_) {
    const std::size_t room = RoomIn(out, size_max);
    // A comma may follow.
    if (room == 0 || !string_.Append(out, elements[column_].view(), room - 1)) return false;
    if (++column_ != row_size_) out.Append(',');
  }
  return true;
}

void AppendTensor(net::ByteBuffer& out, const Tensor& tensor, Form form) {
  TensorText(tensor, form).Append(out, TensorText::kNoLimit);
}

}  // namespace mlos::api::http::tensors
