// SPDX-License-Identifier: MIT
#include "onnx/model_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "onnx/error.h"

namespace mlos::onnx {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// A length-delimited protobuf field of fewer than 128 bytes.
std::string Field(int number, const std::string& bytes) {
  const int tag = number << 3 | 2;
  std::string field(1, static_cast<char>(tag < 0x80 ? tag : (tag & 0x7f) | 0x80));
  if (tag >= 0x80) field.push_back(static_cast<char>(tag >> 7));
  field.push_back(static_cast<char>(bytes.size()));
  return field + bytes;
}

std::string ValueInfo(const std::string& name, const std::string& tensor_type) {
  return Field(1, name) + Field(2, Field(1, tensor_type));
}

class ModelFileTest : public ::testing::Test {
 protected:
  ModelFileTest() {
    folder_ = std::filesystem::path(::testing::TempDir()) /
              ("mlos-model-file-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
  }
  ~ModelFileTest() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path Write(const std::string& name, const std::string& bytes) {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return folder_ / name;
  }

  std::filesystem::path folder_;
};

TEST_F(ModelFileTest, TellsUnrankedFromScalar) {
  const std::string float32 = {'\x08', '\x01'};
  const std::string graph = Field(11, ValueInfo("ranked", float32 + Field(2, Field(1, "")))) +
                            Field(11, ValueInfo("unranked", float32)) +
                            Field(12, ValueInfo("scalar", float32 + Field(2, "")));
  EXPECT_THAT(ReadModelFile(Write("m.onnx", Field(7, graph))).unranked, ElementsAre("unranked"));
}

TEST_F(ModelFileTest, CountsEachExternalFileOnce) {
  const auto location = [](const std::string& file) {
    return Field(13, Field(1, "location") + Field(2, file));
  };
  Write("w.bin", std::string(1000, 'w'));
  const std::string tensors =
      Field(5, location("w.bin") + location("w.bin") + location("missing.bin"));
  const std::string model = Field(7, tensors);
  EXPECT_EQ(ReadModelFile(Write("m.onnx", model)).size_bytes, model.size() + 1000);
}

TEST_F(ModelFileTest, FindsExternalFilesWhereverTensorsAre) {
  for (const char* name : {"0", "1", "2", "3", "4"}) Write(name, std::string(1000, 'w'));
  const auto tensor = [](const std::string& file) {
    return Field(13, Field(1, "offset") + Field(2, "0")) +
           Field(13, Field(1, "location") + Field(2, file));
  };
  const auto attribute = [](const std::string& of_attribute) {
    return Field(1, Field(5, of_attribute));  // of a node
  };
  const std::string graph = attribute(Field(5, tensor("0"))) +
                            attribute(Field(6, Field(5, tensor("1")))) +
                            Field(15, Field(1, tensor("2")));
  const std::string model = Field(7, graph) + Field(25, Field(7, Field(5, Field(10, tensor("3")))));
  // Weights that look like a reference are none.
  const std::string weights = Field(7, Field(5, Field(9, tensor("4"))));
  EXPECT_EQ(ReadModelFile(Write("m.onnx", model)).size_bytes, model.size() + 4000);
  EXPECT_EQ(ReadModelFile(Write("w.onnx", weights)).size_bytes, weights.size());
}

TEST_F(ModelFileTest, SkipsWhatItDoesNotUnderstand) {
  const std::string garbage(200, '\xff');
  const ModelFile file = ReadModelFile(Write("m.onnx", garbage));
  EXPECT_EQ(file.size_bytes, 200u);
  EXPECT_THAT(file.unranked, IsEmpty());
  EXPECT_EQ(ReadModelFile(Write("cut.onnx", "\x0a\x08location\x12")).size_bytes, 11u);
  EXPECT_EQ(ReadModelFile(Write("empty.onnx", "")).size_bytes, 0u);
  EXPECT_THROW(ReadModelFile(folder_ / "none.onnx"), Error);
}

}  // namespace
}  // namespace mlos::onnx
