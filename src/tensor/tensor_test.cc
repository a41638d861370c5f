// SPDX-License-Identifier: MIT
#include "tensor/tensor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "tensor/float16.h"
#include "tensor/raw_bytes.h"
#include "tensor/tensor_spec.h"

namespace mlos::tensor {
namespace {

TEST(DTypeTable, NamesRoundTrip) {
  for (int number = -1; number < 32; ++number) {
    const auto dtype = static_cast<DType>(number);
    if (!IsSupported(dtype)) {
      EXPECT_EQ(Name(dtype), "undefined") << number;
      EXPECT_EQ(ElementSize(dtype), 0u) << number;
      continue;
    }
    EXPECT_EQ(ParseDType(Name(dtype)), dtype);
    EXPECT_GT(ElementSize(dtype), 0u);
  }
  EXPECT_FALSE(ParseDType("undefined").has_value());
  EXPECT_FALSE(ParseDType("float").has_value());
}

TEST(ShapeTable, CountsElements) {
  EXPECT_EQ(*ElementCount({}), 1);
  EXPECT_EQ(*ElementCount(Shape{2, 3}), 6);
  EXPECT_EQ(*ElementCount(Shape{2, 0, 3}), 0);
  EXPECT_EQ(*ByteSize(DType::kInt64, Shape{2, 3}), 48u);
}

TEST(ShapeTable, RefusesWhatCannotBeCounted) {
  constexpr std::int64_t kBig = std::int64_t{1} << 32;
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  for (const Shape& shape : {Shape{kBig, kBig}, Shape{-1}, Shape{2, -3}, Shape{kMax, 2},
                             Shape{kBig, kBig, 0}, Shape{kMax}, Shape(65, 1)}) {
    EXPECT_EQ(ElementCount(shape).status().reason(), Reason::kShapeMismatch) << ToString(shape);
  }
  EXPECT_EQ(ByteSize(DType::kInt64, Shape{kMax / 4}).status().reason(), Reason::kShapeMismatch);
}

TEST(ShapeTable, MovesWithItsTensorWhateverItsRank) {
  for (const std::size_t rank : {0U, 1U, 4U, 5U, 64U}) {
    const Shape shape(rank, 1);
    Tensor tensor = Tensor::Allocate(DType::kFloat32, shape).value();
    Tensor moved = std::move(tensor);
    EXPECT_EQ(moved.shape(), shape) << rank;
    EXPECT_EQ(ElementCount(moved.shape()).value(), 1);
    tensor = std::move(moved);
    EXPECT_EQ(tensor.shape(), shape) << rank;
  }
}

TEST(TensorBuffer, SaysWhichMemoryItLiesIn) {
  float data[3] = {};
  EXPECT_EQ(Buffer().memory(), MemoryKind::kHost);
  EXPECT_EQ(Buffer::Borrow(data, sizeof data).memory(), MemoryKind::kHost);
  Buffer block = Buffer::Allocate(8).value();
  const Buffer moved = std::move(block);
  EXPECT_EQ(moved.memory(), MemoryKind::kHost);
  EXPECT_EQ(Tensor::Allocate(DType::kFloat32, {3})->memory(), MemoryKind::kHost);
}

TEST(TensorBuffer, IsAlignedAtEverySize) {
  for (const std::size_t size : {0U, 1U, 63U, 64U, 65U, 1000U, 1U << 20}) {
    const Buffer buffer = Buffer::Allocate(size).value();
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data()) % 64, 0U) << size;
    EXPECT_EQ(buffer.size_bytes(), size);
    // Whole cache lines may be written.
    std::memset(buffer.data(), 1, (size / 64 + 1) * 64);
  }
  EXPECT_EQ(Buffer::Allocate(SIZE_MAX).status().reason(), Reason::kOutOfMemory);
}

TEST(TensorBuffer, AdoptedBytesAreReleasedOnce) {
  int released = 0;
  std::array<float, 2> data = {1, 2};
  {
    Tensor tensor = Tensor::FromBuffer(
                        DType::kFloat32, {2},
                        Buffer::Adopt(
                            data.data(), sizeof data,
                            [](void* context, void*) { ++*static_cast<int*>(context); }, &released))
                        .value();
    Tensor moved = std::move(tensor);
    EXPECT_EQ(moved.elements<float>()[1], 2);
    EXPECT_EQ(released, 0);
  }
  EXPECT_EQ(released, 1);
}

TEST(TensorBuffer, ShapeMustFitTheBytes) {
  std::array<float, 2> data = {1, 2};
  EXPECT_FALSE(
      Tensor::FromBuffer(DType::kFloat32, {3}, Buffer::Borrow(data.data(), sizeof data)).ok());
  Tensor tensor = Tensor::Allocate(DType::kFloat32, {2, 3}).value();
  EXPECT_TRUE(tensor.Reshape({3, 2}).ok());
  EXPECT_EQ(tensor.Reshape({4}).reason(), Reason::kShapeMismatch);
  EXPECT_EQ(tensor.shape(), (Shape{3, 2}));
}

TEST(TensorBuffer, ImpossibleAllocationIsAStatus) {
  const auto tensor = Tensor::Allocate(DType::kInt8, {std::int64_t{1} << 61});
  EXPECT_EQ(tensor.status().reason(), Reason::kOutOfMemory);
}

TEST(StringTensor, KeepsBytesWithNulsAndEmptyStrings) {
  StringTensorBuilder builder;
  builder.Add("");
  builder.Add(std::string_view("a\0b", 3));
  builder.Add("é");
  Tensor tensor = builder.Build({3}).value();
  EXPECT_EQ(tensor.elements<StringRef>()[0].view(), "");
  EXPECT_EQ(tensor.elements<StringRef>()[1].view(), std::string_view("a\0b", 3));
  EXPECT_EQ(tensor.elements<StringRef>()[2].view(), "é");
  builder.Add("x");
  EXPECT_FALSE(builder.Build({2}).ok());
}

TEST(Spec, AcceptsMatchingShapesOnly) {
  const TensorSpec spec{.name = "x", .dtype = DType::kFloat32, .dims = {{-1, "batch"}, {3, ""}}};
  EXPECT_TRUE(Accepts(spec, Shape{7, 3}));
  EXPECT_FALSE(Accepts(spec, Shape{7, 4}));
  EXPECT_FALSE(Accepts(spec, Shape{3}));
  EXPECT_EQ(ToString(spec), "[batch,3]");
}

TEST(Float16, EveryBitPatternRoundTrips) {
  for (std::uint32_t bits = 0; bits <= 0xffff; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float value = Float16ToFloat(half);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(Float16ToFloat(Float16FromDouble(value))));
    } else {
      ASSERT_EQ(Float16FromDouble(value), half) << bits;
    }
    const float wide = Bfloat16ToFloat(half);
    if (!std::isnan(wide)) {
      ASSERT_EQ(Bfloat16FromDouble(wide), half) << bits;
    }
  }
}

TEST(Float16, RoundsToNearestEven) {
  EXPECT_EQ(Float16FromDouble(65504.0), 0x7bff);
  EXPECT_EQ(Float16FromDouble(65519.9), 0x7bff);
  EXPECT_EQ(Float16FromDouble(65520.0), 0x7c00);
  EXPECT_EQ(Float16FromDouble(1.0 + 0x1p-11), 0x3c00);            // a tie goes to even
  EXPECT_EQ(Float16FromDouble(1.0 + 0x1p-11 + 0x1p-40), 0x3c01);  // just above it does not
  EXPECT_EQ(Float16FromDouble(0x1p-25), 0x0000);
  EXPECT_EQ(Float16FromDouble(0x1.8p-25), 0x0001);
  EXPECT_EQ(Float16FromDouble(-0.0), 0x8000);
  EXPECT_EQ(Float16FromDouble(5e-324), 0x0000);
  EXPECT_EQ(Bfloat16FromDouble(1e39), 0x7f80);
}

TEST(RawBytesTest, GivesEveryByteWhereItIs) {
  const Tensor numbers = Tensor::Allocate(DType::kInt16, {2, 3}).value();
  RawBytes raw(numbers);
  EXPECT_EQ(raw.Next().data(), numbers.data());
  EXPECT_TRUE(raw.ended());
  EXPECT_EQ(RawBytes::Size(numbers), 12u);

  StringTensorBuilder builder;
  for (const std::string_view text : {"", "ab", ""}) builder.Add(text);
  const Tensor strings = builder.Build({3}).value();
  std::string bytes;
  for (RawBytes next(strings); !next.ended();) bytes += next.Next();
  EXPECT_EQ(bytes, std::string_view("\0\0\0\0\2\0\0\0ab\0\0\0\0", 14));
  EXPECT_EQ(RawBytes::Size(strings), bytes.size());
  EXPECT_TRUE(RawBytes(Tensor::Allocate(DType::kString, {0}).value()).ended());
}

}  // namespace
}  // namespace mlos::tensor
