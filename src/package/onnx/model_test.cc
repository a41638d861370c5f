// SPDX-License-Identifier: MIT
#include "package/onnx/model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "package/onnx/test_model.h"
#include "package/test_folder.h"

namespace mlos::package::onnx {
namespace {

using test::IdentityGraph;
using test::ModelOf;
using test::Proto;
using test::RawTensor;
using test::TensorValue;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string FourFloats() { return std::string(16, 'w'); }

TEST(OnnxModel, SchemaOfAGraph) {
  const Proto model = ModelOf(IdentityGraph())
                          .Bytes(2, "pytorch")
                          .Bytes(3, "2.5")
                          .Message(8, Proto().Bytes(1, "com.microsoft").Varint(2, 1));
  const auto parsed = ParseModel(model.bytes());
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->ir_version, 8);
  EXPECT_EQ(parsed->producer_name, "pytorch");
  EXPECT_EQ(parsed->producer_version, "2.5");
  EXPECT_THAT(parsed->opset_imports,
              ElementsAre(OpsetImport{"", 17}, OpsetImport{"com.microsoft", 1}));
  EXPECT_TRUE(parsed->custom_domains.empty());
  ASSERT_EQ(parsed->inputs.size(), 1u);
  EXPECT_EQ(parsed->inputs[0].kind, ValueKind::kTensor);
  EXPECT_EQ(parsed->inputs[0].spec.name, "x");
  EXPECT_EQ(parsed->inputs[0].spec.dtype, tensor::DType::kFloat32);
  EXPECT_EQ(tensor::ToString(parsed->inputs[0].spec), "[batch,3]");
  ASSERT_EQ(parsed->outputs.size(), 1u);
  EXPECT_EQ(parsed->outputs[0].spec.name, "y");
}

TEST(OnnxModel, AnOperatorThatScalesByItsWholeInputIsFoundWhereverItStands) {
  const auto node = [](std::string_view op_type) {
    return Proto().Bytes(1, "x").Bytes(2, "y").Bytes(4, op_type);
  };
  const Proto branch = Proto().Message(1, node("DynamicQuantizeMatMul"));
  const struct {
    Proto model;
    std::string found;
  } cases[] = {
      {ModelOf(IdentityGraph()), ""},
      {ModelOf(IdentityGraph().Message(1, node("QuantizeLinear"))), ""},
      {ModelOf(Proto().Message(1, node("DynamicQuantizeLinear")).Message(1, node("Add"))),
       "DynamicQuantizeLinear"},
      {ModelOf(Proto().Message(1, node("If").Message(5, Proto().Message(6, branch)))),
       "DynamicQuantizeMatMul"},
      {ModelOf(IdentityGraph()).Message(25, Proto().Message(7, node("DynamicQuantizeLSTM"))),
       "DynamicQuantizeLSTM"},
  };
  for (const auto& [model, found] : cases) {
    const auto parsed = ParseModel(model.bytes());
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(parsed->whole_batch_operator, found);
  }
}

TEST(OnnxModel, InitializersAreNoInputsWhereverTheyStand) {
  const Proto graph =
      Proto()
          .Message(11, TensorValue("w", test::kFloat32, {{4, ""}}))
          .Message(11, TensorValue("s", test::kFloat32, {{4, ""}}))
          .Message(11, TensorValue("x", test::kFloat32, {}))
          .Message(5, RawTensor("w", test::kFloat32, {4}, FourFloats()))
          .Message(15, Proto().Message(1, RawTensor("s", test::kFloat32, {4}, FourFloats())));
  const auto parsed = ParseModel(ModelOf(graph).bytes());
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  ASSERT_EQ(parsed->inputs.size(), 1u);
  EXPECT_EQ(parsed->inputs[0].spec.name, "x");
  EXPECT_TRUE(parsed->inputs[0].spec.has_shape);
  EXPECT_EQ(parsed->tensor_bytes, 32u);
}

TEST(OnnxModel, WhatTheGraphDoesNotSayIsLeftOpen) {
  const Proto no_shape = Proto().Bytes(1, "a").Message(2, Proto().Message(1, Proto().Varint(1, 7)));
  const Proto negative = Proto().Bytes(1, "b").Message(
      2, Proto().Message(
             1, Proto().Varint(1, 7).Message(
                    2, Proto().Message(1, Proto().Varint(1, static_cast<std::uint64_t>(-1))))));
  const Proto graph =
      Proto().Message(11, no_shape).Message(11, negative).Message(12, Proto().Bytes(1, "untyped"));
  const auto parsed = ParseModel(ModelOf(graph).bytes());
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_FALSE(parsed->inputs[0].spec.has_shape);
  EXPECT_EQ(parsed->inputs[1].spec.dims.at(0), tensor::Dim{});
  EXPECT_EQ(parsed->outputs[0].kind, ValueKind::kUnknown);
}

TEST(OnnxModel, KindsBesideTensorsAreNamed) {
  struct Case {
    int field;
    ValueKind kind;
    const char* name;
  };
  const Case cases[] = {{4, ValueKind::kSequence, "sequence"},
                        {5, ValueKind::kMap, "map"},
                        {7, ValueKind::kOpaque, "opaque"},
                        {8, ValueKind::kSparseTensor, "sparse tensor"},
                        {9, ValueKind::kOptional, "optional"}};
  for (const Case& c : cases) {
    const Proto value = Proto().Bytes(1, "x").Message(2, Proto().Message(c.field, Proto()));
    const auto parsed = ParseModel(ModelOf(Proto().Message(11, value)).bytes());
    ASSERT_TRUE(parsed.ok()) << c.name << parsed.status();
    EXPECT_EQ(parsed->inputs.at(0).kind, c.kind) << c.name;
    EXPECT_EQ(ToString(parsed->inputs.at(0).kind), c.name);
  }
}

TEST(OnnxModel, DomainsThatNobodyDefinesAreCustom) {
  const Proto model = ModelOf(IdentityGraph())
                          .Message(8, Proto().Bytes(1, "acme.ops").Varint(2, 1))
                          .Message(8, Proto().Bytes(1, "local").Varint(2, 1))
                          .Message(25, Proto().Bytes(1, "f").Bytes(10, "local"));
  const auto parsed = ParseModel(model.bytes());
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_THAT(parsed->custom_domains, ElementsAre("acme.ops"));
}

struct Broken {
  const char* what;
  std::string bytes;
  const char* said;
};

std::string InGraph(int field, const Proto& message) {
  return ModelOf(IdentityGraph().Message(field, message)).bytes();
}

std::string Nest(int levels) {
  Proto graph;
  for (int i = 0; i < levels; ++i) {
    graph = Proto().Message(1, Proto().Message(5, Proto().Message(6, graph)));
  }
  return ModelOf(graph).bytes();
}

TEST(OnnxModel, WhatNoExporterWritesIsRefusedWithItsReason) {
  const std::string good = ModelOf(IdentityGraph()).bytes();
  const Proto two_types = Proto().Bytes(1, "z").Message(
      2, Proto().Message(1, Proto().Varint(1, 1)).Message(4, Proto()));
  const Broken cases[] = {
      {"empty", "", "no graph"},
      {"text", "<!doctype html>", "not a valid ONNX file"},
      {"no graph", Proto().Varint(1, 8).bytes(), "no graph"},
      {"no version", Proto().Message(7, IdentityGraph()).bytes(), "no version"},
      {"cut off", good.substr(0, good.size() - 3), "longer than what is left"},
      {"two graphs", ModelOf(IdentityGraph()).Message(7, IdentityGraph()).bytes(),
       "field 7 of a message is there twice"},
      {"graph as number", Proto().Varint(1, 8).Varint(7, 1).bytes(), "should have a length"},
      {"version as text", Proto().Bytes(1, "8").bytes(), "should be a number"},
      {"group", good + Proto().Tag(99, 3).bytes(), "unknown wire type 3"},
      {"field 0", good + std::string("\0\0", 2), "cut off or malformed"},
      {"overlong varint", good + std::string(11, '\x80'), "malformed"},
      {"length of 2^63", good + Proto().Tag(2, 2).Raw(std::uint64_t{1} << 63).bytes(),
       "longer than what is left"},
      {"nested too deep", Nest(60), "nested too deep"},
      {"input without name", InGraph(11, Proto()), "an input has no name"},
      {"two inputs of a name", InGraph(11, TensorValue("x", 1, {})), "'x' is there twice"},
      {"two outputs of a name", InGraph(12, TensorValue("y", 1, {})), "'y' is there twice"},
      {"two types", InGraph(11, two_types), "a value has two types"},
      {"name not UTF-8", InGraph(11, TensorValue("\xff", 1, {})), "not UTF-8"},
      {"name too long", InGraph(11, TensorValue(std::string(5000, 'n'), 1, {})), "longer than"},
      {"rank", InGraph(11, TensorValue("r", 1, std::vector<test::NamedDim>(65))),
       "too many dimensions"},
      {"negative dim", InGraph(5, RawTensor("w", 1, {static_cast<std::uint64_t>(-4)}, "")),
       "negative dimension"},
      {"dims that overflow", InGraph(5, RawTensor("w", 1, {std::uint64_t{1} << 62, 4}, "")),
       "overflow"},
      {"rank of a tensor", InGraph(5, RawTensor("w", 1, std::vector<std::uint64_t>(65, 1), "")),
       "too many dimensions"},
      {"petabyte in a few bytes",
       InGraph(5, Proto().Varint(1, std::uint64_t{1} << 48).Varint(2, 1).Bytes(8, "w")),
       "does not hold them"},
      {"too few raw bytes", InGraph(5, RawTensor("w", 1, {5}, FourFloats())),
       "needs 20 bytes and holds 16"},
      {"two raw fields", InGraph(5, RawTensor("w", 1, {4}, FourFloats()).Bytes(9, FourFloats())),
       "there twice"},
      {"tensor twice in an attribute",
       InGraph(1, Proto().Message(5, Proto()
                                         .Message(5, RawTensor("", 1, {4}, FourFloats()))
                                         .Message(5, RawTensor("", 1, {4}, FourFloats())))),
       "there twice"},
  };
  for (const Broken& broken : cases) {
    const auto parsed = ParseModel(broken.bytes);
    ASSERT_FALSE(parsed.ok()) << broken.what;
    EXPECT_EQ(parsed.status().reason(), Reason::kInvalidModel) << broken.what;
    EXPECT_THAT(std::string(parsed.status().message()), HasSubstr(broken.said)) << broken.what;
  }
}

TEST(OnnxModel, UnknownFieldsOfEveryKindArePassedOver) {
  const Proto model =
      ModelOf(IdentityGraph()).Varint(99, 7).Bytes(98, "x").Fixed32(97, "abcd").Tag(96, 1).Raw(1);
  const std::string bytes = model.bytes() + std::string(7, 'f');
  EXPECT_TRUE(ParseModel(bytes).ok()) << ParseModel(bytes).status();
}

TEST(OnnxModel, PackedAndUnpackedDimsAreTheSame) {
  const std::string packed_dims = Proto().Raw(2).Raw(2).bytes();
  const Proto packed = Proto().Bytes(1, packed_dims).Varint(2, 1).Bytes(9, FourFloats());
  const auto parsed = ParseModel(InGraph(5, packed));
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->tensor_bytes, 16u);
}

TEST(OnnxModel, NestingUpToProtobufsOwnLimitIsRead) { EXPECT_TRUE(ParseModel(Nest(30)).ok()); }

TEST(OnnxModel, EveryPrefixOfAModelIsRefusedOrRead) {
  const std::string bytes =
      ModelOf(IdentityGraph().Message(5, RawTensor("w", 1, {4}, FourFloats()))).bytes();
  std::size_t refused = 0;
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    const auto parsed = ParseModel(std::string_view(bytes).substr(0, cut));
    if (parsed.ok()) continue;
    EXPECT_EQ(parsed.status().reason(), Reason::kInvalidModel) << cut;
    ++refused;
  }
  EXPECT_EQ(refused, bytes.size());  // the graph is the last field
}

using OnnxModelFile = FolderTest;

TEST_F(OnnxModelFile, ReadingAFileIsReadingItsBytes) {
  const std::string weights(300'000 * 4, 'w');
  const Proto model =
      ModelOf(IdentityGraph().Message(5, RawTensor("w", test::kFloat32, {300'000}, weights)));
  Write("model.onnx", model.bytes());
  const auto from_file = ReadModel(folder() / "model.onnx");
  ASSERT_TRUE(from_file.ok()) << from_file.status();
  const auto from_memory = ParseModel(model.bytes());
  ASSERT_TRUE(from_memory.ok()) << from_memory.status();
  EXPECT_EQ(from_file->inputs, from_memory->inputs);
  EXPECT_EQ(from_file->tensor_bytes, from_memory->tensor_bytes);
  EXPECT_EQ(from_file->tensor_bytes, weights.size());

  Write("cut.onnx", model.bytes().substr(0, 1000));
  EXPECT_EQ(ReadModel(folder() / "cut.onnx").status().reason(), Reason::kInvalidModel);
  EXPECT_EQ(ReadModel(folder()).status().reason(), Reason::kInvalidModel);
  EXPECT_EQ(ReadModel(folder() / "absent").status().reason(), Reason::kFileNotFound);
}

}  // namespace
}  // namespace mlos::package::onnx
