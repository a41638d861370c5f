// SPDX-License-Identifier: MIT
#include "api/http/oip/messages/binary_tensor.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "api/oip/datatype.h"
#include "net/byte_buffer.h"
#include "tensor/raw_bytes.h"

namespace mlos::api::http::oip::messages {
namespace {

using tensor::DType;
using tensor::Shape;
using tensor::Tensor;

constexpr DType kAll[] = {DType::kFloat32, DType::kUint8,   DType::kInt8,    DType::kUint16,
                          DType::kInt16,   DType::kInt32,   DType::kInt64,   DType::kString,
                          DType::kBool,    DType::kFloat16, DType::kFloat64, DType::kUint32,
                          DType::kUint64,  DType::kBfloat16};

class BinaryTensorTest : public testing::Test {
 protected:
  std::string Refusal(DType dtype, Shape shape, std::string_view bytes) {
    const auto read = ReadBinaryTensor(dtype, std::move(shape), bytes, memory_);
    return read.ok() ? "OK" : std::string(ToString(read.status().reason()));
  }

  resource::ByteBudget budget_{1 << 20};
  tensors::RequestMemory memory_{budget_};
};

TEST(DatatypeTest, NamesComeBack) {
  for (const DType dtype : kAll)
    EXPECT_EQ(api::oip::ParseDatatype(api::oip::DatatypeName(dtype)), dtype);
  for (const std::string_view other : {"", "fp32", "FLOAT", "STRING", "INT4"}) {
    EXPECT_FALSE(api::oip::ParseDatatype(other)) << other;
  }
}

TEST_F(BinaryTensorTest, BytesComeBack) {
  for (const DType dtype : kAll) {
    // Two strings; or as many elements as there are.
    std::string bytes = std::string("\1\0\0\0a", 5) + std::string("\7\0\0\0bcd\0efg", 11);
    if (dtype == DType::kBool) bytes = std::string("\0\1\1\0\0\1\0\1\1\1\0\1\0\0\1\0", 16);
    ASSERT_EQ(bytes.size(), 16);
    const auto count = static_cast<std::int64_t>(
        dtype == DType::kString ? 2 : bytes.size() / tensor::ElementSize(dtype));
    for (const std::size_t offset : {0, 1}) {
      alignas(16) char place[32];
      bytes.copy(place + offset, bytes.size());
      const std::string_view from(place + offset, bytes.size());
      const Tensor tensor = ReadBinaryTensor(dtype, {count, 1}, from, memory_).value();
      const bool strings = dtype == DType::kString;
      const bool aligned = offset == 0 || tensor::ElementSize(dtype) == 1;
      EXPECT_EQ(tensor.data() == from.data(), aligned && !strings) << api::oip::DatatypeName(dtype);
      net::ByteBuffer out;
      tensor::AppendRaw(out, tensor);
      EXPECT_EQ(out.view(), bytes) << api::oip::DatatypeName(dtype);
      EXPECT_EQ(tensor::RawBytes::Size(tensor), bytes.size());
    }
  }
}

TEST_F(BinaryTensorTest, EmptyOnes) {
  for (const DType dtype : kAll) {
    EXPECT_EQ(Refusal(dtype, {0, 3}, ""), "OK") << api::oip::DatatypeName(dtype);
    EXPECT_EQ(Refusal(dtype, {0}, "x"), "SHAPE_MISMATCH") << api::oip::DatatypeName(dtype);
    EXPECT_EQ(Refusal(dtype, {1}, ""), "SHAPE_MISMATCH") << api::oip::DatatypeName(dtype);
  }
}

TEST_F(BinaryTensorTest, BelievesNoCountBeyondTheBytes) {
  const std::int64_t huge = std::int64_t{1} << 60;
  for (const DType dtype : kAll) {
    EXPECT_EQ(Refusal(dtype, {huge}, "12345678"), "SHAPE_MISMATCH")
        << api::oip::DatatypeName(dtype);
    EXPECT_EQ(Refusal(dtype, {huge, huge}, "12345678"), "SHAPE_MISMATCH");
    EXPECT_EQ(Refusal(dtype, {-1}, "12345678"), "SHAPE_MISMATCH");
  }
}

TEST_F(BinaryTensorTest, RefusesDamagedStrings) {
  using namespace std::string_view_literals;
  EXPECT_EQ(Refusal(DType::kString, {1}, "\1\0\0\0a"sv), "OK");
  EXPECT_EQ(Refusal(DType::kString, {2}, "\0\0\0\0\0\0\0\0"sv), "OK");
  for (const std::string_view bytes :
       {"\2\0\0\0a"sv, "\1\0\0\0ab"sv, "\1\0\0"sv, "\xff\xff\xff\xff"sv, "\0\0\0\0\0\0\0\0"sv}) {
    EXPECT_EQ(Refusal(DType::kString, {1}, bytes), "SHAPE_MISMATCH");
  }
}

TEST_F(BinaryTensorTest, RefusesOtherBools) {
  EXPECT_EQ(Refusal(DType::kBool, {2}, "\1\2"), "VALUE_OUT_OF_RANGE");
  EXPECT_EQ(Refusal(DType::kBool, {1}, "\xff"), "VALUE_OUT_OF_RANGE");
}

TEST_F(BinaryTensorTest, CopiesCountAgainstTheBudget) {
  const std::string bytes(2 << 20, 'x');
  const std::string_view odd = std::string_view(bytes).substr(1, (2 << 20) - 4);
  EXPECT_EQ(Refusal(DType::kFloat32, {(2 << 18) - 1}, odd), "PAYLOAD_TOO_LARGE");
}

}  // namespace
}  // namespace mlos::api::http::oip::messages
