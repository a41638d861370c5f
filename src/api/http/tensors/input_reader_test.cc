// SPDX-License-Identifier: MIT
#include "api/http/tensors/input_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <regex>
#include <sstream>

#include "net/byte_buffer.h"
#include "tensor/float16.h"

namespace mlos::api::http::tensors {
namespace {

using tensor::DType;
using tensor::Shape;

constexpr std::uint64_t kBudget = 64 << 20;

net::ByteBuffer Body(std::string_view text) {
  net::ByteBuffer body;
  body.Append(text);
  body.Pad(net::kBodyPaddingBytes);
  return body;
}

engine::ModelSchema Schema(const std::vector<std::pair<std::string, DType>>& inputs) {
  engine::ModelSchema schema;
  for (const auto& [name, dtype] : inputs) {
    schema.inputs.push_back({name, dtype, {{tensor::kDynamicSize, "n"}}});
  }
  return schema;
}

/// The outcome of reading one body; its memory goes back to the budget with it.
struct Outcome {
  explicit Outcome(std::string_view text, const engine::ModelSchema& schema,
                   std::uint64_t limit = kBudget)
      : budget(limit), memory(budget), inputs(ReadInputs(Body(text), schema, memory)) {}
  explicit Outcome(std::string_view text, DType dtype) : Outcome(text, Schema({{"x", dtype}})) {}

  std::string Error() const { return inputs.ok() ? "OK" : inputs.status().ToString(); }
  template <typename T>
  std::vector<T> Elements() const {
    const auto elements = inputs.value().front().tensor.elements<T>();
    return {elements.begin(), elements.end()};
  }
  const Shape& shape() const { return inputs.value().front().tensor.shape(); }

  resource::ByteBudget budget;
  RequestMemory memory;
  Result<std::vector<tensor::NamedTensor>> inputs;
};

TEST(InputReaderTest, ShapesComeFromNesting) {
  const struct {
    std::string_view text;
    Shape shape;
  } cases[] = {
      {R"({"x": 1})", {}},
      {R"({"x": []})", {0}},
      {R"({"x": [1, 2, 3]})", {3}},
      {R"({"x": [[1], [2]]})", {2, 1}},
      {R"({"x": [[], []]})", {2, 0}},
      {R"({"x": [[[1, 2], [3, 4]]]})", {1, 2, 2}},
      {R"([1, 2])", {2}},
      {R"([[1, 2]])", {1, 2}},
      {R"([])", {0}},
      {R"({"inputs": {"x": [1]}})", {1}},
      {R"({"x": {"shape": [2, 1], "data": [1, 2]}})", {2, 1}},
      {R"({"x": {"data": [[1], [2]], "shape": [2, 1]}})", {2, 1}},
      {R"({"x": {"shape": [], "data": 1}})", {}},
      {R"({"x": {"dtype": "int64", "shape": [0, 4], "data": []}})", {0, 4}},
      {R"({"inputs": {"x": {"shape": [1], "data": [7]}}})", {1}},
      {"\t{\r\n \"x\" : [ 1 , 2 ] } \n", {2}},
  };
  for (const auto& c : cases) {
    const Outcome outcome(c.text, DType::kInt64);
    ASSERT_TRUE(outcome.inputs.ok()) << c.text << ": " << outcome.Error();
    EXPECT_EQ(outcome.shape(), c.shape) << c.text;
  }
}

TEST(InputReaderTest, AnInputCalledInputsIsNoWrapper) {
  const Outcome outcome(R"({"inputs": [1, 2]})", Schema({{"inputs", DType::kInt64}}));
  EXPECT_EQ(outcome.Elements<std::int64_t>(), (std::vector<std::int64_t>{1, 2}));
}

TEST(InputReaderTest, KeepsTheExtremesOfEachInteger) {
  const auto check = [](DType dtype, auto zero) {
    using T = decltype(zero);
    const auto low = std::numeric_limits<T>::min();
    const auto high = std::numeric_limits<T>::max();
    std::ostringstream text;
    text << "{\"x\": [" << +low << ", " << +high << "]}";
    const Outcome outcome(text.str(), dtype);
    ASSERT_TRUE(outcome.inputs.ok()) << outcome.Error();
    EXPECT_EQ(outcome.Elements<T>(), (std::vector<T>{low, high}));
  };
  check(DType::kInt8, std::int8_t{});
  check(DType::kInt16, std::int16_t{});
  check(DType::kInt32, std::int32_t{});
  check(DType::kInt64, std::int64_t{});
  check(DType::kUint8, std::uint8_t{});
  check(DType::kUint16, std::uint16_t{});
  check(DType::kUint32, std::uint32_t{});
  check(DType::kUint64, std::uint64_t{});
}

TEST(InputReaderTest, BoolsAndStrings) {
  EXPECT_EQ(Outcome(R"({"x": [true, false, 0, 1]})", DType::kBool).Elements<std::uint8_t>(),
            (std::vector<std::uint8_t>{1, 0, 0, 1}));
  const Outcome strings(R"({"x": [["a", ""], ["\u00e9\n", "日本"]]})", DType::kString);
  std::vector<std::string> texts;
  for (const auto& ref : strings.Elements<tensor::StringRef>()) texts.emplace_back(ref.view());
  EXPECT_THAT(texts, testing::ElementsAre("a", "", "é\n", "日本"));
}

TEST(InputReaderTest, SpecialFloats) {
  constexpr std::string_view kText = R"({"x": ["NaN", "Infinity", "-Infinity", -0.0]})";
  const auto floats = Outcome(kText, DType::kFloat32).Elements<float>();
  EXPECT_TRUE(std::isnan(floats[0]));
  EXPECT_EQ(floats[1], std::numeric_limits<float>::infinity());
  EXPECT_EQ(floats[2], -std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::signbit(floats[3]));
  EXPECT_EQ(Outcome(kText, DType::kFloat16).Elements<std::uint16_t>()[2], 0xfc00);
  EXPECT_EQ(Outcome(kText, DType::kBfloat16).Elements<std::uint16_t>()[1], 0x7f80);
}

std::string_view Bits(const Outcome& outcome) {
  const tensor::Tensor& read = outcome.inputs->front().tensor;
  return {static_cast<const char*>(read.data()), read.size_bytes()};
}

TEST(InputReaderTest, SpecialFloatsMayBeBare) {
  const DType floats[] = {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBfloat16};
  const std::string_view bodies[] = {
      R"({"x": [%]})",
      R"([ % ])",
      R"({"x": %})",
      R"({"x": {"shape": [1], "data": [%]}})",
      R"({"x": [1, %]})",
      R"({"x": [[%], [1]]})",
      R"({"x": [%	, 1]})",
      "{\"inputs\": {\"x\":\n%\n}}",
  };
  for (const DType dtype : floats) {
    for (const std::string_view word : {"NaN", "Infinity", "-Infinity"}) {
      for (const std::string_view body : bodies) {
        const auto with = [&](const std::string& value) {
          return std::regex_replace(std::string(body), std::regex("%"), value);
        };
        const Outcome bare(with(std::string(word)), dtype);
        const Outcome text(with('"' + std::string(word) + '"'), dtype);
        ASSERT_TRUE(bare.inputs.ok()) << with(std::string(word)) << ": " << bare.Error();
        EXPECT_EQ(bare.shape(), text.shape());
        EXPECT_EQ(Bits(bare), Bits(text));
      }
    }
  }
}

TEST(InputReaderTest, BareSpecialFloatsAreForFloatsOnly) {
  const struct {
    DType dtype;
    std::string_view text;
    Reason reason;
  } cases[] = {
      {DType::kInt32, R"({"x": [NaN]})", Reason::kDtypeMismatch},
      {DType::kUint8, R"({"x": -Infinity})", Reason::kDtypeMismatch},
      {DType::kBool, R"({"x": [Infinity]})", Reason::kDtypeMismatch},
      {DType::kString, R"({"x": [NaN]})", Reason::kDtypeMismatch},
      {DType::kFloat32, R"({"x": {"shape": [NaN], "data": [1]}})", Reason::kDtypeMismatch},
      {DType::kFloat32, R"({"x": {"dtype": NaN, "shape": [1], "data": [1]}})",
       Reason::kMalformedJson},
      {DType::kFloat32, "NaN", Reason::kMalformedJson},
      {DType::kFloat32, R"({NaN: [1]})", Reason::kMalformedJson},
  };
  for (const auto& c : cases) {
    const Outcome outcome(c.text, c.dtype);
    ASSERT_FALSE(outcome.inputs.ok()) << c.text;
    EXPECT_EQ(outcome.inputs.status().reason(), c.reason) << c.text << ": " << outcome.Error();
  }
}

TEST(InputReaderTest, RoundsEachFloatOnce) {
  // Just above half-way between 1 and the next float: the double nearest to it is half-way itself.
  const auto floats =
      Outcome(R"({"x": [1.00000005960464477540, 1.0000000596046448, 16777217, 1e-45, 7e-46,
                        1e-50, 3.4028235677973367e38, 1.17549435e-38]})",
              DType::kFloat32);
  EXPECT_EQ(floats.Error(),
            "INVALID_ARGUMENT/VALUE_OUT_OF_RANGE (field x): input 'x': element 6: "
            "'3.4028235677973367e38' is out of the range of float32");
  const auto read = Outcome(R"({"x": [1.00000005960464477540, 16777217, 1e-45, 7e-46, 1e-50,
                                      3.4028235677973366e38, 1.17549435e-38]})",
                            DType::kFloat32)
                        .Elements<float>();
  EXPECT_EQ(read[0], std::nextafterf(1, 2));
  EXPECT_EQ(read[1], 16777216.0F);
  EXPECT_EQ(read[2], std::numeric_limits<float>::denorm_min());
  EXPECT_EQ(read[3], 0.0F);
  EXPECT_EQ(read[4], 0.0F);
  EXPECT_EQ(read[5], std::numeric_limits<float>::max());
  EXPECT_EQ(read[6], std::numeric_limits<float>::min());
}

// The reader against the C library over numbers of all sizes, written with 1 to 20 digits.
TEST(InputReaderTest, AgreesWithStrtof) {
  std::mt19937_64 random(7);
  std::string text = "{\"x\": [";
  std::vector<float> expected;
  for (int i = 0; i < 20'000; ++i) {
    const auto bits = static_cast<std::uint32_t>(random());
    const float number = std::bit_cast<float>(bits);
    if (!std::isfinite(number)) continue;
    char digits[64];
    std::snprintf(digits, sizeof(digits), "%.*e", static_cast<int>(random() % 20),
                  static_cast<double>(number) * (1 + 1e-8));
    const float nearest = std::strtof(digits, nullptr);
    if (!std::isfinite(nearest)) continue;
    text.append(expected.empty() ? "" : ",").append(digits);
    expected.push_back(nearest);
  }
  const Outcome outcome(text + "]}", DType::kFloat32);
  ASSERT_TRUE(outcome.inputs.ok()) << outcome.Error();
  EXPECT_EQ(outcome.Elements<float>(), expected);
}

TEST(InputReaderTest, WhatIsWrongAndWhere) {
  const struct {
    DType dtype;
    std::string_view text;
    Reason reason;
    std::string_view field;
    std::string_view message_part;
  } cases[] = {
      {DType::kInt8, R"({"x": [1, 128]})", Reason::kValueOutOfRange, "x", "element 1: '128'"},
      {DType::kUint8, R"({"x": [-1]})", Reason::kValueOutOfRange, "x", "'-1'"},
      {DType::kInt64, R"({"x": [9223372036854775808]})", Reason::kValueOutOfRange, "x", "int64"},
      {DType::kUint64, R"({"x": [18446744073709551616]})", Reason::kValueOutOfRange, "x", "uint64"},
      {DType::kInt32, R"({"x": [1.0]})", Reason::kDtypeMismatch, "x", "not an integer"},
      {DType::kInt32, R"({"x": [1e2]})", Reason::kDtypeMismatch, "x", "not an integer"},
      {DType::kInt32, R"({"x": [true]})", Reason::kDtypeMismatch, "x", "'true'"},
      {DType::kInt32, R"({"x": [null]})", Reason::kDtypeMismatch, "x", "'null'"},
      {DType::kInt32, R"({"x": ["1"]})", Reason::kDtypeMismatch, "x", "a string"},
      {DType::kInt32, R"({"x": [{"a": 1}]})", Reason::kDtypeMismatch, "x", "an object"},
      {DType::kBool, R"({"x": [2]})", Reason::kValueOutOfRange, "x", "'2'"},
      {DType::kFloat32, R"({"x": [1e39]})", Reason::kValueOutOfRange, "x", "float32"},
      {DType::kFloat64, R"({"x": [1e400]})", Reason::kValueOutOfRange, "x", "float64"},
      {DType::kFloat16, R"({"x": [65520]})", Reason::kValueOutOfRange, "x", "float16"},
      {DType::kBfloat16, R"({"x": [3.3e38, 3.4e39]})", Reason::kValueOutOfRange, "x", "element 1"},
      {DType::kFloat32, R"({"x": ["nan"]})", Reason::kDtypeMismatch, "x", "'nan'"},
      {DType::kFloat32, R"({"x": [false]})", Reason::kDtypeMismatch, "x", "'false'"},
      {DType::kString, R"({"x": [1]})", Reason::kDtypeMismatch, "x", "'1'"},
      {DType::kString, R"({"x": ["\ud800"]})", Reason::kMalformedJson, "x", "a string"},
      // Ragged arrays.
      {DType::kInt32, R"({"x": [[1], [1, 2]]})", Reason::kShapeMismatch, "x", "2 items"},
      {DType::kInt32, R"({"x": [[1], 2]})", Reason::kShapeMismatch, "x", "element 1"},
      {DType::kInt32, R"({"x": [1, [2]]})", Reason::kShapeMismatch, "x", "ragged"},
      {DType::kInt32, R"({"x": [[], 1]})", Reason::kShapeMismatch, "x", "ragged"},
      {DType::kInt32, R"({"x": [[], [[]]]})", Reason::kShapeMismatch, "x", "ragged"},
      {DType::kInt32, R"({"x": [[[1]], [2]]})", Reason::kShapeMismatch, "x", "ragged"},
      // Shapes.
      {DType::kInt32, R"({"x": {"shape": [2], "data": [1]}})", Reason::kShapeMismatch, "x", "[2]"},
      {DType::kInt32, R"({"x": {"shape": [-1], "data": [1]}})", Reason::kShapeMismatch, "x", ""},
      {DType::kInt32, R"({"x": {"shape": [4294967296, 4294967296], "data": [1]}})",
       Reason::kShapeMismatch, "x", ""},
      {DType::kInt32, R"({"x": {"shape": [1, 2], "data": [[1], [2]]}})", Reason::kShapeMismatch,
       "x", "[2,1]"},
      {DType::kInt32, R"({"x": {"shape": 2, "data": [1, 2]}})", Reason::kShapeMismatch, "x", ""},
      {DType::kInt32, R"({"x": {"data": [1]}})", Reason::kInvalidField, "x", "both"},
      {DType::kInt32, R"({"x": {"shape": [1], "data": [1], "data": [2]}})", Reason::kInvalidField,
       "x", "'data'"},
      {DType::kInt32, R"({"x": {"shape": [1], "data": [1], "more": 1}})", Reason::kInvalidField,
       "x", "'more'"},
      {DType::kInt32, R"({"x": {"dtype": "float32", "shape": [1], "data": [1]}})",
       Reason::kDtypeMismatch, "x", "int32"},
      // Names.
      {DType::kInt32, R"({"y": [1]})", Reason::kUnknownInput, "y", "its inputs are x"},
      {DType::kInt32, R"({"x": [1], "x": [1]})", Reason::kInvalidField, "x", "twice"},
      {DType::kInt32, R"({"x": [1], "\u0078": [1]})", Reason::kInvalidField, "x", "twice"},
      {DType::kInt32, R"({"inputs": {"inputs": {"x": [1]}}})", Reason::kUnknownInput, "inputs", ""},
      {DType::kInt32, R"({"inputs": [1]})", Reason::kUnknownInput, "inputs", ""},
  };
  for (const auto& c : cases) {
    const Outcome outcome(c.text, c.dtype);
    ASSERT_FALSE(outcome.inputs.ok()) << c.text;
    const Status& status = outcome.inputs.status();
    EXPECT_EQ(ToString(status.reason()), ToString(c.reason)) << c.text << ": " << status;
    EXPECT_EQ(status.field(), c.field) << c.text << ": " << status;
    EXPECT_THAT(std::string(status.message()), testing::HasSubstr(std::string(c.message_part)));
  }
}

TEST(InputReaderTest, RefusesWhatIsNotJson) {
  const std::string_view cases[] = {
      "",
      " ",
      "1",
      "null",
      "\"x\"",
      "{",
      "[",
      "{\"x\"",
      "{\"x\":",
      R"({"x": [1, 2})",
      R"({"x": [1 2]})",
      R"({"x": [1,, 2]})",
      R"({"x": [1,]})",
      R"({"x": [,1]})",
      R"({"x" [1]})",
      R"({"x": [01]})",
      R"({"x": [1.]})",
      R"({"x": [.5]})",
      R"({"x": [+1]})",
      R"({"x": [-]})",
      R"({"x": [1e]})",
      R"({"x": [0x10]})",
      R"({"x": [nan]})",
      R"({"x": [NaN1]})",
      R"({"x": [NaN NaN]})",
      R"({"x": [NaN"1"]})",
      R"({"x": [+Infinity]})",
      R"({"x": [- Infinity]})",
      R"({"x": [Inf]})",
      R"({"x": [nul]})",
      R"({"x": [1]} {})",
      R"({"x": [1]}])",
      R"({"x": [1]}x)",
      R"({'x': [1]})",
      "{\"x\": [1], }",
      "[[1]",
      "[1]]",
      "{\"x\": [\"\xff\"]}",
      "{\"x\xc0\xaf\": [1]}",
      "{\"x\": [\"a\nb\"]}",
      "\xef\xbb\xbf{\"x\": [1]}",
  };
  for (const std::string_view text : cases) {
    const Outcome outcome(text, DType::kFloat32);
    ASSERT_FALSE(outcome.inputs.ok()) << text;
    EXPECT_EQ(outcome.inputs.status().reason(), Reason::kMalformedJson)
        << text << ": " << outcome.Error();
  }
}

TEST(InputReaderTest, NestingIsLimitedWhereverItIs) {
  const auto nested = [](int depth) {
    return std::string(static_cast<std::size_t>(depth), '[') + "1" +
           std::string(static_cast<std::size_t>(depth), ']');
  };
  EXPECT_TRUE(Outcome("{\"x\": " + nested(63) + "}", DType::kInt32).inputs.ok());
  EXPECT_TRUE(Outcome(nested(64), DType::kInt32).inputs.ok());
  for (const std::string& text : {"{\"x\": " + nested(64) + "}", nested(65), nested(500'000),
                                  "{\"inputs\": {\"x\": " + nested(63) + "}}",
                                  "{\"x\": {\"shape\": [1], \"data\": " + nested(63) + "}}",
                                  "{\"x\": {\"shape\": " + nested(500'000) + ", \"data\": [1]}}"}) {
    const Outcome outcome(text, DType::kInt32);
    ASSERT_FALSE(outcome.inputs.ok()) << text.substr(0, 80);
    EXPECT_EQ(outcome.inputs.status().reason(), Reason::kNestingTooDeep) << outcome.Error();
  }
}

TEST(InputReaderTest, ABareArrayIsForTheOneInputThatIsNeeded) {
  const struct {
    std::string_view required;  // of the inputs a, b and c
    std::size_t inputs;
    std::string_view taken;  // "" where the array is refused
  } cases[] = {
      {"a", 1, "a"}, {"", 1, "a"},  {"a", 2, "a"},  {"b", 2, "b"}, {"c", 3, "c"},
      {"", 2, ""},   {"ab", 2, ""}, {"abc", 3, ""}, {"", 0, ""},
  };
  for (const auto& test : cases) {
    engine::ModelSchema schema;
    for (const char name : std::string_view("abc").substr(0, test.inputs)) {
      schema.inputs.push_back({.name = std::string(1, name),
                               .dtype = DType::kInt32,
                               .dims = {{tensor::kDynamicSize, "n"}},
                               .required = test.required.find(name) != std::string_view::npos});
    }
    const Outcome outcome("[1]", schema);
    ASSERT_EQ(outcome.inputs.ok(), !test.taken.empty()) << test.required << " " << test.inputs;
    if (outcome.inputs.ok()) {
      EXPECT_EQ(outcome.inputs->front().name, test.taken);
    } else {
      EXPECT_EQ(outcome.inputs.status().reason(), Reason::kMissingInput);
    }
  }
}

TEST(InputReaderTest, GuessesWhereTheModelDeclaresNothing) {
  engine::ModelSchema schema;
  schema.declared = false;
  const Outcome outcome(
      R"({"a": [[1, 2]], "b": [true], "c": "t",
          "d": {"dtype": "int8", "shape": [1], "data": [3]}})",
      schema);
  ASSERT_TRUE(outcome.inputs.ok()) << outcome.Error();
  std::vector<DType> dtypes;
  for (const auto& input : *outcome.inputs) dtypes.push_back(input.tensor.dtype());
  EXPECT_THAT(dtypes,
              testing::ElementsAre(DType::kFloat32, DType::kBool, DType::kString, DType::kInt8));
}

TEST(InputReaderTest, LargeTensorsAreCountedAndGivenBack) {
  std::string text = "{\"x\": [0";
  for (int i = 1; i < 300'000; ++i) text += ",0";
  text += "]}";
  {
    const Outcome outcome(text, DType::kFloat32);
    ASSERT_TRUE(outcome.inputs.ok());
    EXPECT_GE(outcome.budget.used(), 300'000 * sizeof(float));
    EXPECT_LT(outcome.budget.used(), 3 * 300'000 * sizeof(float));
  }
  const Outcome refused(text, Schema({{"x", DType::kFloat32}}), 2 << 20);
  EXPECT_EQ(refused.inputs.status().reason(), Reason::kPayloadTooLarge);
}

}  // namespace
}  // namespace mlos::api::http::tensors
