// SPDX-License-Identifier: MIT
#include "onnx/model_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "onnx/error.h"
#include "package/onnx/test_model.h"

namespace mlos::onnx {
namespace {

using package::onnx::test::ExternalTensor;
using package::onnx::test::kFloat32;
using package::onnx::test::ModelOf;
using package::onnx::test::Proto;
using package::onnx::test::RawTensor;
using package::onnx::test::TensorValue;
using ::testing::ElementsAre;

constexpr int kUint8 = 2;

Proto ExternalIn(const std::string& file) { return ExternalTensor("w", 1, {{"location", file}}); }

Proto NodeWith(const Proto& attribute) { return Proto().Bytes(4, "Op").Message(5, attribute); }

class ModelFileTest : public ::testing::Test {
 protected:
  ModelFileTest() {
    folder_ = std::filesystem::path(::testing::TempDir()) /
              ("mlos-model-file-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
  }
  ~ModelFileTest() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path Write(const std::string& name, const Proto& model) {
    return Write(name, model.bytes());
  }
  std::filesystem::path Write(const std::string& name, const std::string& bytes) {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return folder_ / name;
  }

  std::filesystem::path folder_;
};

TEST_F(ModelFileTest, TellsUnrankedFromScalar) {
  const Proto unranked =
      Proto().Bytes(1, "unranked").Message(2, Proto().Message(1, Proto().Varint(1, kFloat32)));
  const Proto graph = Proto()
                          .Message(11, TensorValue("ranked", kFloat32, {{3, ""}}))
                          .Message(11, unranked)
                          .Message(12, TensorValue("scalar", kFloat32, {}));
  EXPECT_THAT(ReadModelFile(Write("m.onnx", ModelOf(graph))).unranked, ElementsAre("unranked"));
}

TEST_F(ModelFileTest, CountsEachExternalFileOnce) {
  std::ofstream(folder_ / "w.bin") << std::string(1000, 'w');
  const Proto model = ModelOf(Proto()
                                  .Message(5, ExternalIn("w.bin"))
                                  .Message(5, ExternalIn("w.bin"))
                                  .Message(5, ExternalIn("missing.bin")));
  EXPECT_EQ(ReadModelFile(Write("m.onnx", model)).size_bytes, model.bytes().size() + 1000);
}

TEST_F(ModelFileTest, FindsExternalFilesWhereverTensorsAre) {
  for (const char* name : {"0", "1", "2", "3", "4"}) {
    std::ofstream(folder_ / name) << std::string(1000, 'w');
  }
  const Proto branch = Proto().Message(5, ExternalIn("1"));
  const Proto graph = Proto()
                          .Message(1, NodeWith(Proto().Message(5, ExternalIn("0"))))
                          .Message(1, NodeWith(Proto().Message(6, branch)))
                          .Message(15, Proto().Message(1, ExternalIn("2")));
  const Proto function = Proto().Message(7, NodeWith(Proto().Message(10, ExternalIn("3"))));
  const Proto model = ModelOf(graph).Message(25, function);
  // Weights that look like a reference are none.
  const std::string look_alike = ExternalIn("4").bytes();
  const Proto weights =
      ModelOf(Proto().Message(5, RawTensor("w", kUint8, {look_alike.size()}, look_alike)));
  EXPECT_EQ(ReadModelFile(Write("m.onnx", model)).size_bytes, model.bytes().size() + 4000);
  EXPECT_EQ(ReadModelFile(Write("w.onnx", weights)).size_bytes, weights.bytes().size());
}

TEST_F(ModelFileTest, RefusesWhatIsNoModel) {
  for (const std::string& garbage :
       {std::string(200, '\xff'), std::string("\x0a\x08location\x12"), std::string()}) {
    EXPECT_THROW(ReadModelFile(Write("m.onnx", garbage)), Error) << garbage.size();
  }
  EXPECT_THROW(ReadModelFile(folder_ / "none.onnx"), Error);
}

}  // namespace
}  // namespace mlos::onnx
