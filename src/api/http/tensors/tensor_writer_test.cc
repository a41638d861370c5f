// SPDX-License-Identifier: MIT
#include "api/http/tensors/tensor_writer.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "api/http/tensors/input_reader.h"
#include "net/byte_buffer.h"

namespace mlos::api::http::tensors {
namespace {

using tensor::DType;
using tensor::Shape;
using tensor::Tensor;

template <typename T>
Tensor Make(DType dtype, Shape shape, const std::vector<T>& elements) {
  Tensor made = Tensor::Allocate(dtype, std::move(shape)).value();
  if (!elements.empty()) std::memcpy(made.data(), elements.data(), elements.size() * sizeof(T));
  return made;
}

std::string Written(const Tensor& tensor) {
  net::ByteBuffer out;
  AppendTensor(out, tensor, Form::kNested);
  EXPECT_TRUE(out.status().ok());
  return std::string(out.view());
}

Tensor Strings(const std::vector<std::string_view>& texts) {
  tensor::StringTensorBuilder builder;
  for (const auto text : texts) builder.Add(text);
  return builder.Build({static_cast<std::int64_t>(texts.size())}).value();
}

TEST(TensorWriterTest, NestsByShape) {
  EXPECT_EQ(Written(Make<std::int64_t>(DType::kInt64, {}, {7})), "7");
  EXPECT_EQ(Written(Make<std::int64_t>(DType::kInt64, {0}, {})), "[]");
  EXPECT_EQ(Written(Make<std::int64_t>(DType::kInt64, {2, 0}, {})), "[[],[]]");
  EXPECT_EQ(Written(Make<std::int64_t>(DType::kInt64, {0, 2}, {})), "[]");
  EXPECT_EQ(Written(Make<std::int32_t>(DType::kInt32, {2, 2}, {1, -2, 3, 4})), "[[1,-2],[3,4]]");
  EXPECT_EQ(Written(Make<std::uint8_t>(DType::kBool, {1, 2}, {1, 0})), "[[true,false]]");
  EXPECT_EQ(Written(Make<std::int8_t>(DType::kInt8, {2}, {-128, 127})), "[-128,127]");
}

TEST(TensorWriterTest, FloatsAreShortAndSpecialsAreStrings) {
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(Written(Make<float>(DType::kFloat32, {7},
                                {0.1F, 1, -0.0F, 1e20F, infinity, -infinity, std::nanf("")})),
            R"([0.1,1,-0.0,1e+20,"Infinity","-Infinity","NaN"])");
  EXPECT_EQ(Written(Make<double>(DType::kFloat64, {1}, {0.1})), "[0.1]");
  EXPECT_EQ(Written(Make<std::uint16_t>(DType::kFloat16, {2}, {0x3c00, 0x7e00})), R"([1,"NaN"])");
  EXPECT_EQ(Written(Make<std::uint16_t>(DType::kBfloat16, {2}, {0x3f80, 0xff80})),
            R"([1,"-Infinity"])");
}

TEST(TensorWriterTest, StringsAreEscapedAndAlwaysUtf8) {
  EXPECT_EQ(Written(Strings({"a\"\\\n\x01", "日本", std::string_view("\0", 1)})),
            "[\"a\\\"\\\\\\n\\u0001\",\"日本\",\"\\u0000\"]");
  EXPECT_EQ(Written(Strings({"a\xff", "\xc0\xaf", "\xe6\x97"})),
            "[\"a\xef\xbf\xbd\",\"\xef\xbf\xbd\xef\xbf\xbd\",\"\xef\xbf\xbd\xef\xbf\xbd\"]");
}

TEST(TensorWriterTest, RowsWithoutElementsAreLimited) {
  EXPECT_EQ(Written(Make<float>(DType::kFloat32, {kEmptyRowsMax + 1, 0}, {})), "[]");
  EXPECT_EQ(Written(Make<float>(DType::kFloat32, {1'000'000, 1'000'000, 0}, {})), "[]");
  EXPECT_EQ(Written(Make<float>(DType::kFloat32, {kEmptyRowsMax, 0}, {})).size(),
            3 * kEmptyRowsMax + 1);
}

TEST(TensorWriterTest, ALackOfBudgetShowsInTheStatus) {
  resource::ByteBudget budget(64 << 10);
  net::ByteBuffer out(budget);
  AppendTensor(out, Make<double>(DType::kFloat64, {100'000}, std::vector<double>(100'000, 0.1)),
               Form::kNested);
  EXPECT_EQ(out.status().reason(), Reason::kPayloadTooLarge);
}

// Whatever bits a tensor has, reading what was written brings them back.
class RoundTripTest : public testing::TestWithParam<DType> {};

TEST_P(RoundTripTest, BringsBackTheSameBits) {
  const DType dtype = GetParam();
  Tensor made = Tensor::Allocate(dtype, {25, 4, 50}).value();
  std::mt19937_64 random(static_cast<std::uint64_t>(dtype));
  auto* bytes = static_cast<std::uint8_t*>(made.data());
  for (std::size_t i = 0; i < made.size_bytes(); ++i) {
    bytes[i] = static_cast<std::uint8_t>(dtype == DType::kBool ? random() % 2 : random());
  }
  net::ByteBuffer out;
  out.Append("{\"x\":");
  AppendTensor(out, made, Form::kNested);
  out.Append('}');
  out.Pad(net::kBodyPaddingBytes);

  engine::ModelSchema schema;
  schema.inputs.push_back({"x", dtype, {}, false});
  resource::ByteBudget budget(1 << 20);
  RequestMemory memory(budget);
  const auto read = ReadInputs(out, schema, memory);
  ASSERT_TRUE(read.ok()) << read.status();
  const Tensor& back = read.value().front().tensor;
  EXPECT_EQ(back.shape(), made.shape());
  // NaNs lose their payload in JSON, so texts are compared, which are equal for equal bits.
  EXPECT_EQ(Written(back), Written(made));
}

INSTANTIATE_TEST_SUITE_P(AllNumbers, RoundTripTest,
                         testing::Values(DType::kFloat32, DType::kFloat64, DType::kFloat16,
                                         DType::kBfloat16, DType::kInt8, DType::kInt16,
                                         DType::kInt32, DType::kInt64, DType::kUint8,
                                         DType::kUint16, DType::kUint32, DType::kUint64,
                                         DType::kBool),
                         [](const auto& dtype) { return std::string(Name(dtype.param)); });

}  // namespace
}  // namespace mlos::api::http::tensors
