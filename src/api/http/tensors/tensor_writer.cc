// SPDX-License-Identifier: MIT
#include "api/http/tensors/tensor_writer.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "json/json_writer.h"
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

char* Put(char* out, std::string_view text) {
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

template <typename T>
char* PutNumber(char* out, T number) {
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

/// Elements of the stored type `T`, shown as the number that `kShow` makes of them.
template <typename T, auto kShow>
void AppendRow(net::ByteBuffer& out, const T* elements, std::size_t count) {
  while (count != 0) {
    const std::size_t run = std::min(count, kRunLength);
    char* const start = out.Prepare(run * kNumberBytesMax);
    if (start == nullptr) return;
    char* end = start;
    for (std::size_t i = 0; i < run; ++i) {
      end = PutNumber(end, kShow(elements[i]));
      *end++ = ',';
    }
    count -= run;
    elements += run;
    if (count == 0) --end;  // no comma after the last
    out.Commit(static_cast<std::size_t>(end - start));
  }
}

void AppendBools(net::ByteBuffer& out, const std::uint8_t* elements, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    if (i != 0) out.Append(',');
    out.Append(elements[i] != 0 ? "true" : "false");
  }
}

void AppendStrings(net::ByteBuffer& out, const StringRef* elements, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    if (i != 0) out.Append(',');
    json::AppendString(out, elements[i].view());
  }
}

template <typename T>
T Same(T number) {
  return number;
}

/// Writes a tensor whose elements are `T` and whose rows `kAppend` writes. Thread-compatible.
template <typename T, auto kAppend>
class NestedWriter {
 public:
  NestedWriter(net::ByteBuffer& out, const Tensor& tensor, const tensor::Shape& shape)
      : out_(out), shape_(shape), next_(static_cast<const T*>(tensor.data())) {}

  void Write(std::size_t depth) {
    if (depth == shape_.size()) {
      Row(1);
      return;
    }
    out_.Append('[');
    const std::int64_t size = shape_[depth];
    if (depth + 1 == shape_.size()) {
      Row(static_cast<std::size_t>(size));
    } else {
      for (std::int64_t i = 0; i < size && out_.status().ok(); ++i) {
        if (i != 0) out_.Append(',');
        Write(depth + 1);
      }
    }
    out_.Append(']');
  }

 private:
  void Row(std::size_t count) {
    kAppend(out_, next_, count);
    next_ += count;
  }

  net::ByteBuffer& out_;
  const tensor::Shape& shape_;
  const T* next_;
};

template <typename T, auto kShow = &Same<T>>
void AppendNumbers(net::ByteBuffer& out, const Tensor& tensor, const tensor::Shape& shape) {
  NestedWriter<T, &AppendRow<T, kShow>>(out, tensor, shape).Write(0);
}

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

void AppendShaped(net::ByteBuffer& out, const Tensor& tensor, const tensor::Shape& shape) {
  switch (tensor.dtype()) {
    case DType::kFloat32:
      return AppendNumbers<float>(out, tensor, shape);
    case DType::kFloat64:
      return AppendNumbers<double>(out, tensor, shape);
    case DType::kFloat16:
      return AppendNumbers<std::uint16_t, &tensor::Float16ToFloat>(out, tensor, shape);
    case DType::kBfloat16:
      return AppendNumbers<std::uint16_t, &tensor::Bfloat16ToFloat>(out, tensor, shape);
    case DType::kInt8:
      return AppendNumbers<std::int8_t>(out, tensor, shape);
    case DType::kInt16:
      return AppendNumbers<std::int16_t>(out, tensor, shape);
    case DType::kInt32:
      return AppendNumbers<std::int32_t>(out, tensor, shape);
    case DType::kInt64:
      return AppendNumbers<std::int64_t>(out, tensor, shape);
    case DType::kUint8:
      return AppendNumbers<std::uint8_t>(out, tensor, shape);
    case DType::kUint16:
      return AppendNumbers<std::uint16_t>(out, tensor, shape);
    case DType::kUint32:
      return AppendNumbers<std::uint32_t>(out, tensor, shape);
    case DType::kUint64:
      return AppendNumbers<std::uint64_t>(out, tensor, shape);
    case DType::kBool:
      return NestedWriter<std::uint8_t, &AppendBools>(out, tensor, shape).Write(0);
    case DType::kString:
      return NestedWriter<StringRef, &AppendStrings>(out, tensor, shape).Write(0);
    case DType::kUndefined:
      return out.Append("null");
  }
}

}  // namespace

void AppendTensor(net::ByteBuffer& out, const Tensor& tensor) {
  if (HasTooManyEmptyRows(tensor)) return out.Append("[]");
  AppendShaped(out, tensor, tensor.shape());
}

void AppendFlatTensor(net::ByteBuffer& out, const Tensor& tensor) {
  AppendShaped(out, tensor, {tensor.element_count()});
}

void AppendElement(net::ByteBuffer& out, const Tensor& tensor) {
  AppendShaped(out, tensor, tensor::Shape());
}

}  // namespace mlos::api::http::tensors
