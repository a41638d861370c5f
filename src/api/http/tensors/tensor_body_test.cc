// SPDX-License-Identifier: MIT
#include "api/http/tensors/tensor_body.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <random>
#include <string>
#include <utility>

#include "json/json_writer.h"

namespace mlos::api::http::tensors {
namespace {

using tensor::DType;
using tensor::Shape;
using tensor::StringRef;
using tensor::Tensor;

constexpr DType kDTypes[] = {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBfloat16,
                             DType::kInt8,    DType::kInt16,   DType::kInt32,   DType::kInt64,
                             DType::kUint8,   DType::kUint16,  DType::kUint32,  DType::kUint64,
                             DType::kBool,    DType::kString};

using Random = std::mt19937_64;

Shape RandomShape(Random& random) {
  Shape shape;
  const std::size_t rank = random() % 6;
  for (std::size_t i = 0; i < rank; ++i) {
    shape.push_back(random() % 20 == 0 ? 0 : static_cast<std::int64_t>(random() % 7 + 1));
  }
  if (rank != 0 && rank < 4 && random() % 3 == 0) shape[random() % rank] *= 97;
  return shape;
}

Tensor RandomStrings(Random& random, Shape shape) {
  constexpr std::string_view kParts[] = {"",           "a",    "\"",       "\\n",
                                         "\n",         "\x01", "é",        "日本",
                                         "\U0001f600", "\xff", "\xe6\x97", "plain text"};
  tensor::StringTensorBuilder builder;
  const std::int64_t count = tensor::ElementCount(shape).value();
  for (std::int64_t i = 0; i < count; ++i) {
    std::string text;
    const bool valid = random() % 2 == 0;
    const std::size_t parts = random() % 300 == 0 ? 5'000 : random() % 4;
    for (std::size_t part = 0; part < parts; ++part) {
      text += kParts[random() % (std::size(kParts) - (valid ? 3 : 0))];
    }
    builder.Add(text);
  }
  return builder.Build(std::move(shape)).value();
}

Tensor RandomTensor(Random& random, DType dtype) {
  Shape shape = RandomShape(random);
  if (dtype == DType::kString) return RandomStrings(random, std::move(shape));
  Tensor made = Tensor::Allocate(dtype, std::move(shape)).value();
  auto* bytes = static_cast<std::uint8_t*>(made.data());
  for (std::size_t i = 0; i < made.size_bytes(); ++i) {
    bytes[i] = static_cast<std::uint8_t>(dtype == DType::kBool ? random() % 2 : random());
  }
  return made;
}

// ---- Tensors as they are to be written, in the plainest way ----

/// Element `index` alone.
std::string TextOf(const Tensor& tensor, std::int64_t index) {
  const std::size_t size = tensor::ElementSize(tensor.dtype());
  Tensor element =
      Tensor::FromBuffer(
          tensor.dtype(), {},
          tensor::Buffer::Borrow(
              static_cast<char*>(tensor.data()) + static_cast<std::size_t>(index) * size, size))
          .value();
  net::ByteBuffer out;
  AppendTensor(out, element, Form::kElement);
  return std::string(out.view());
}

std::string Nested(const Tensor& tensor, const Shape& shape, std::size_t depth,
                   std::int64_t& index) {
  if (depth == shape.size()) return TextOf(tensor, index++);
  std::string text = "[";
  for (std::int64_t i = 0; i < shape[depth]; ++i) {
    text += (i == 0 ? "" : ",") + Nested(tensor, shape, depth + 1, index);
  }
  return text + "]";
}

std::string Expected(const Tensor& tensor, std::optional<Form> form) {
  std::int64_t index = 0;
  if (form == Form::kNested) return Nested(tensor, tensor.shape(), 0, index);
  if (form == Form::kFlat) return Nested(tensor, {tensor.element_count()}, 0, index);
  if (form == Form::kElement) return TextOf(tensor, 0);
  std::string bytes;
  if (tensor.dtype() != DType::kString) {
    return {static_cast<const char*>(tensor.data()), tensor.size_bytes()};
  }
  for (const StringRef& element : tensor.elements<StringRef>()) {
    const auto length = static_cast<std::uint32_t>(element.size);
    bytes.append(reinterpret_cast<const char*>(&length), sizeof(length));
    bytes += element.view();
  }
  return bytes;
}

TEST(TensorTextTest, StepsOfAnySizeGiveTheSameText) {
  Random random(1);
  for (int round = 0; round < 600; ++round) {
    const Tensor tensor = RandomTensor(random, kDTypes[random() % std::size(kDTypes)]);
    const Form form = random() % 2 == 0 ? Form::kNested : Form::kFlat;
    const std::string expected = Expected(tensor, form);
    const std::size_t step_bytes = 1024 + random() % 4'000;
    TensorText text(tensor, form);
    EXPECT_LE(expected.size(), text.size_max());
    std::string written;
    bool ended = false;
    while (!ended) {
      net::ByteBuffer piece;
      ended = text.Append(piece, step_bytes);
      ASSERT_LE(piece.size(), step_bytes);
      ASSERT_TRUE(ended || !piece.empty());
      written += piece.view();
    }
    ASSERT_EQ(written, expected) << tensor::ToString(tensor.shape());
    net::ByteBuffer whole;
    AppendTensor(whole, tensor, form);
    ASSERT_EQ(whole.view(), expected);
  }
}

TEST(TensorTextTest, DeepShapesHaveTheirBrackets) {
  const Tensor tensor = Tensor::Allocate(DType::kBool, Shape(tensor::kRankMax, 1)).value();
  *static_cast<std::uint8_t*>(tensor.data()) = 1;
  net::ByteBuffer out;
  AppendTensor(out, tensor, Form::kNested);
  EXPECT_EQ(out.view(),
            std::string(tensor::kRankMax, '[') + "true" + std::string(tensor::kRankMax, ']'));
}

class TensorBodyTest : public testing::Test {
 protected:
  void TearDown() override { EXPECT_EQ(budget_.used(), 0); }

  static std::string ReadAll(net::BodySource& source) {
    std::string all;
    while (true) {
      const std::string_view piece = source.Next();
      if (piece.empty()) return all;
      all += piece;
    }
  }
  static engine::InferenceResponse ResponseWith(Tensor tensor) {
    engine::InferenceResponse response;
    response.outputs.push_back({"y", std::move(tensor)});
    return response;
  }

  resource::ByteBudget budget_{1 << 30};
};

TEST_F(TensorBodyTest, GivesInPiecesWhatIsWrittenInOne) {
  Random random(2);
  for (int round = 0; round < 150; ++round) {
    engine::InferenceResponse response;
    for (std::size_t i = random() % 4 + 1; i != 0; --i) {
      const DType dtype = kDTypes[random() % std::size(kDTypes)];
      response.outputs.push_back({std::to_string(i), RandomTensor(random, dtype)});
    }
    const std::size_t whole_bytes_max = random() % 5'000;
    BodyWriter body(budget_, whole_bytes_max);
    std::string expected;
    body.json().StartArray();
    for (const auto& output : response.outputs) {
      body.Value(output.tensor, Form::kNested);
      expected += (expected.empty() ? "[" : ",") + Expected(output.tensor, Form::kNested);
    }
    body.json().EndArray();
    expected += "]";
    const std::size_t json_bytes = expected.size();
    const bool binary = random() % 2 == 0;
    for (const auto& output : response.outputs) {
      if (!binary) break;
      body.Binary(output.tensor);
      expected += Expected(output.tensor, std::nullopt);
    }
    const BodyWriter::Body written = std::move(body).Finish(response).value();
    EXPECT_TRUE(!binary || written.json_bytes == json_bytes);
    if (written.source == nullptr) {
      ASSERT_EQ(written.whole.view(), expected);
      continue;
    }
    EXPECT_TRUE(!binary || written.source->length() == expected.size());
    ASSERT_EQ(ReadAll(*written.source), expected);
    EXPECT_TRUE(written.source->Next().empty());
  }
}

TEST_F(TensorBodyTest, ALargeTextCostsOnePiece) {
  engine::InferenceResponse response =
      ResponseWith(Tensor::Allocate(DType::kFloat64, {1 << 20}).value());
  std::fill_n(static_cast<double*>(response.outputs[0].tensor.data()), 1 << 20, 0.1234567);
  BodyWriter body(budget_);
  body.Value(response.outputs[0].tensor, Form::kFlat);
  const auto source = std::move(body).Finish(response).value().source;
  ASSERT_NE(source, nullptr);
  EXPECT_EQ(source->length(), std::nullopt);
  EXPECT_LE(budget_.used(), (8 << 20) + TensorBody::kPieceBytes + BodyWriter::kWholeBytesMax);
  std::size_t size = source->Next().size();
  EXPECT_LE(size, BodyWriter::kWholeBytesMax);
  while (true) {
    const std::string_view piece = source->Next();
    if (piece.empty()) break;
    EXPECT_LE(budget_.used(), (8 << 20) + TensorBody::kPieceBytes);
    EXPECT_LE(piece.size(), TensorBody::kPieceBytes);
    size += piece.size();
  }
  EXPECT_EQ(size, (1 << 20) * std::string_view("0.1234567,").size() + 1);
}

// Before it is written, it might be larger.
TEST_F(TensorBodyTest, ATextThatIsSmallAfterAllIsWhole) {
  engine::InferenceResponse response =
      ResponseWith(Tensor::Allocate(DType::kFloat32, {30'000}).value());
  std::memset(response.outputs[0].tensor.data(), 0, 30'000 * sizeof(float));
  BodyWriter body(budget_);
  body.Value(response.outputs[0].tensor, Form::kFlat);
  const auto written = std::move(body).Finish(response).value();
  EXPECT_EQ(written.source, nullptr);
  EXPECT_EQ(written.whole.size(), 60'001);
}

// The text in front of the first gap is longer than a piece.
TEST_F(TensorBodyTest, ALongTextMayComeBeforeTheFirstTensor) {
  const std::string lead(60'000, 'a');
  engine::InferenceResponse response =
      ResponseWith(Tensor::Allocate(DType::kUint8, {100'000}).value());
  std::memset(response.outputs[0].tensor.data(), 1, 100'000);
  const std::string expected =
      "[\"" + lead + "\"," + Expected(response.outputs[0].tensor, Form::kFlat) + "]";
  BodyWriter body(budget_);
  body.json().StartArray();
  body.json().Text(lead);
  body.Value(response.outputs[0].tensor, Form::kFlat);
  body.json().EndArray();
  EXPECT_EQ(ReadAll(*std::move(body).Finish(response).value().source), expected);
}

TEST_F(TensorBodyTest, LargeBytesGoFromWhereTheyAre) {
  engine::InferenceResponse response =
      ResponseWith(Tensor::Allocate(DType::kUint8, {1 << 20}).value());
  const void* const data = response.outputs[0].tensor.data();
  BodyWriter body(budget_);
  body.json().Flag(true);
  body.Binary(response.outputs[0].tensor);
  const auto written = std::move(body).Finish(response).value();
  ASSERT_NE(written.source, nullptr);
  EXPECT_EQ(written.json_bytes, 4);
  EXPECT_EQ(written.source->length(), 4 + (1 << 20));
  EXPECT_EQ(written.source->Next(), "true");
  const std::string_view bytes = written.source->Next();
  EXPECT_EQ(bytes.data(), data);
  EXPECT_EQ(bytes.size(), 1 << 20);
  EXPECT_TRUE(written.source->Next().empty());
}

TEST_F(TensorBodyTest, HoldsTheAnswerUntilItIsGone) {
  const auto held = std::make_shared<int>(1);
  engine::InferenceResponse response =
      ResponseWith(Tensor::Allocate(DType::kUint8, {1 << 20}).value());
  std::memset(response.outputs[0].tensor.data(), 1, 1 << 20);
  response.keepalive = held;
  BodyWriter body(budget_);
  body.Value(response.outputs[0].tensor, Form::kFlat);
  auto source = std::move(body).Finish(response).value().source;
  response = engine::InferenceResponse();
  EXPECT_EQ(held.use_count(), 2);
  source->Next();
  EXPECT_EQ(held.use_count(), 2);
  source.reset();
  EXPECT_EQ(held.use_count(), 1);
}

TEST_F(TensorBodyTest, IsRefusedWhereItsOutputsFindNoRoom) {
  resource::ByteBudget small(700 << 10);
  const auto taken = small.Reserve(200 << 10);
  for (const auto& [size, reason] :
       {std::pair{1 << 20, Reason::kPayloadTooLarge}, std::pair{540 << 10, Reason::kOverloaded}}) {
    engine::InferenceResponse response =
        ResponseWith(Tensor::Allocate(DType::kUint8, {size}).value());
    BodyWriter body(small);
    body.Value(response.outputs[0].tensor, Form::kFlat);
    EXPECT_EQ(std::move(body).Finish(response).status().reason(), reason);
  }
}

}  // namespace
}  // namespace mlos::api::http::tensors
