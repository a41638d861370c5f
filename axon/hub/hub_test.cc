// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "axon/hub/graph_choice.h"
#include "axon/hub/huggingface_json.h"
#include "axon/hub/model_spec.h"

namespace axon::hub {
namespace {

using mlos::Reason;
using testing::ElementsAre;
using testing::HasSubstr;

const std::string kCommit(40, 'a');

TEST(ModelSpecTest, SplitsNamespaceNameAndRevision) {
  const ModelSpec spec = ModelSpec::Parse("hf/google/vit-base@v1.0").value();
  EXPECT_EQ(spec.name_space(), "hf");
  EXPECT_EQ(spec.name(), "google/vit-base");
  EXPECT_EQ(spec.revision(), "v1.0");
  EXPECT_EQ(spec.InstalledId(kCommit).value().text(), "hf/google/vit-base@v1.0");
  const ModelSpec latest = ModelSpec::Parse("hf/gpt2").value();
  EXPECT_FALSE(latest.revision().has_value());
  EXPECT_EQ(latest.InstalledId(kCommit).value().text(), "hf/gpt2@latest");
}

TEST(ModelSpecTest, ABranchThatIsNoVersionIsInstalledUnderItsCommit) {
  const ModelSpec spec = ModelSpec::Parse("hf/a/b@refs/pr/1").value();
  EXPECT_EQ(spec.InstalledId(kCommit).value().text(), "hf/a/b@" + kCommit);
}

TEST(ModelSpecTest, RefusesWhatIsNoName) {
  for (const char* bad : {"", "hf", "bert", "hf/", "/a", "hf//a", "hf/../etc", "hf/a b", "hf/a@",
                          "hf/a@-x", "hf/a@..", "hf/a@x y", "hf/a@b@c", "hf/a@a/../b", "hf/a@/x",
                          "hf/.a", "hf/a\n", "hf/a@x\ty"}) {
    const auto spec = ModelSpec::Parse(bad);
    ASSERT_FALSE(spec.ok()) << bad;
    EXPECT_EQ(spec.status().reason(), Reason::kInvalidModelId) << bad;
  }
}

TEST(HuggingFaceJsonTest, ReadsModelInfo) {
  const RemoteModel model =
      ParseModelInfo(R"({"id":"google/magika","sha":")" + kCommit +
                     R"(","gated":"auto","tags":["onnx","license:mit",7],"pipeline_tag":"other",
                        "library_name":"onnx","cardData":{"license":"apache-2.0"},"siblings":[]})")
          .value();
  EXPECT_EQ(model.repository, "google/magika");
  EXPECT_EQ(model.license, "apache-2.0");
  EXPECT_TRUE(model.gated);
  EXPECT_THAT(model.tags, ElementsAre("onnx", "license:mit"));
}

TEST(HuggingFaceJsonTest, RefusesModelInfoThatIsNotAsDocumented) {
  const std::string deep = std::string(200, '[') + std::string(200, ']');
  for (const std::string& bad :
       {std::string(), std::string("[]"), std::string("{"), std::string(R"({"id":"a/b"})"),
        std::string(R"({"id":"a/b","sha":"HEAD"})"),
        R"({"id":"../../etc","sha":")" + kCommit + "\"}", R"({"id":7,"sha":")" + kCommit + "\"}",
        R"({"id":"a/b","sha":")" + kCommit + R"(","x":)" + deep + "}",
        std::string("{\"id\":\"\xff\"}")}) {
    const auto model = ParseModelInfo(bad);
    ASSERT_FALSE(model.ok()) << bad;
    EXPECT_EQ(model.status().reason(), Reason::kMalformedJson) << bad;
  }
}

std::string FileJson(const std::string& path, const std::string& rest = "") {
  return R"({"type":"file","path":")" + path + R"(","size":3,"oid":")" + std::string(40, 'b') +
         "\"" + rest + "}";
}

TEST(HuggingFaceJsonTest, LfsFilesHaveTheirOwnSizeAndDigest) {
  std::vector<RemoteFile> files;
  const std::string lfs =
      R"(,"lfs":{"oid":")" + std::string(64, 'c') + R"(","size":9,"pointerSize":3})";
  ASSERT_TRUE(ParseTreePage("[" + FileJson("a.json") + R"(,{"type":"directory","path":"onnx"},)" +
                                FileJson("onnx/model.onnx", lfs) + "]",
                            files)
                  .ok());
  ASSERT_EQ(files.size(), 2u);
  EXPECT_EQ(files[0].content.size_bytes, 3u);
  EXPECT_EQ(files[0].content.kind, fetch::ExpectedContent::Kind::kGitBlobSha1);
  EXPECT_EQ(files[1].content.size_bytes, 9u);
  EXPECT_EQ(files[1].content.hex, std::string(64, 'c'));
}

TEST(HuggingFaceJsonTest, RefusesFilesThatLeadElsewhere) {
  for (const char* path :
       {"../x", "/etc/passwd", "a/../../x", "a//b", "", ".", "a\\\\b", "a\\u0000"}) {
    std::vector<RemoteFile> files;
    EXPECT_EQ(ParseTreePage("[" + FileJson(path) + "]", files).reason(), Reason::kUnsafePath)
        << path;
  }
}

TEST(HuggingFaceJsonTest, RefusesFilesWithoutSizeOrDigest) {
  const std::string oid = R"("oid":")" + std::string(40, 'b') + "\"";
  const std::string begin = R"([{"type":"file","path":"a",)";
  for (const std::string& bad :
       {std::string("[7]"), std::string("{}"), begin + oid + "}]",
        begin + R"("size":-1,)" + oid + "}]", begin + R"("size":1e3,)" + oid + "}]",
        begin + R"("size":1,"oid":"bbbb"}])"}) {
    std::vector<RemoteFile> files;
    EXPECT_EQ(ParseTreePage(bad, files).reason(), Reason::kMalformedJson) << bad;
  }
}

TEST(HuggingFaceJsonTest, FindsTheNextPage) {
  EXPECT_EQ(NextLink(R"(<https://a/x?cursor=1>; rel="next")"), "https://a/x?cursor=1");
  EXPECT_EQ(NextLink(R"(<https://a/p>; rel="prev", <https://a/n>; rel="next")"), "https://a/n");
  EXPECT_EQ(NextLink(R"(<https://a/p>; rel="prev")"), "");
  EXPECT_EQ(NextLink("nonsense <"), "");
  EXPECT_EQ(NextLink(""), "");
}

RemoteModel ModelWith(std::initializer_list<const char*> paths) {
  RemoteModel model{.repository = "org/name"};
  for (const char* path : paths) model.files.push_back({path, {.size_bytes = 10}});
  return model;
}

TEST(GraphChoiceTest, PrefersTheUsualPlaces) {
  const auto choice =
      ChooseGraph(ModelWith({"model.onnx", "onnx/model.onnx", "onnx/model_fp16.onnx"}), "").value();
  EXPECT_EQ(choice.path, "onnx/model.onnx");
  EXPECT_THAT(choice.others, ElementsAre("model.onnx", "onnx/model_fp16.onnx"));
  EXPECT_EQ(ChooseGraph(ModelWith({"a.onnx", "model.onnx"}), "").value().path, "model.onnx");
  EXPECT_EQ(ChooseGraph(ModelWith({"silero_vad.onnx", "README.md"}), "").value().path,
            "silero_vad.onnx");
  EXPECT_EQ(ChooseGraph(ModelWith({"deep/model.onnx", "deep/x.onnx"}), "").value().path,
            "deep/model.onnx");
}

TEST(GraphChoiceTest, TheUserHasTheLastWord) {
  const RemoteModel model = ModelWith({"model.onnx", "other.onnx", "config.json"});
  EXPECT_EQ(ChooseGraph(model, "other.onnx").value().path, "other.onnx");
  EXPECT_EQ(ChooseGraph(model, "none.onnx").status().reason(), Reason::kRemoteNotFound);
  EXPECT_EQ(ChooseGraph(model, "config.json").status().reason(), Reason::kUsage);
}

// Formats that would run their author's code when they are read, or that nothing here reads.
TEST(GraphChoiceTest, WhatIsNoGraphIsNeitherChosenNorTakenByForce) {
  for (const char* path :
       {"pytorch_model.bin", "model.pt", "model.pkl", "model.joblib", "weights.npy", "model.keras",
        "saved_model.pb", "hubconf.py", "modeling_custom.py", "model.gguf", "model.safetensors",
        "model.onnx.py", "model.ONNX.pkl"}) {
    const auto status = ChooseGraph(ModelWith({path, "config.json"}), "").status();
    EXPECT_EQ(status.reason(), Reason::kUnsupportedModel) << path;
    EXPECT_THAT(std::string(status.message()), HasSubstr("has no ONNX graph")) << path;
    EXPECT_THAT(std::string(status.message()), HasSubstr("conversion")) << path;
    EXPECT_EQ(ChooseGraph(ModelWith({path}), path).status().reason(), Reason::kUsage) << path;
  }
}

TEST(GraphChoiceTest, SaysWhyItCannotChoose) {
  const auto parts =
      ChooseGraph(ModelWith({"onnx/decoder_model.onnx", "onnx/encoder_model.onnx"}), "").status();
  EXPECT_EQ(parts.reason(), Reason::kUnsupportedModel);
  EXPECT_THAT(std::string(parts.message()), HasSubstr("several graphs"));
  const auto many = ChooseGraph(ModelWith({"det.onnx", "rec.onnx"}), "").status();
  EXPECT_EQ(many.reason(), Reason::kUsage);
  EXPECT_THAT(std::string(many.message()), HasSubstr("det.onnx (10 B), rec.onnx (10 B)"));
}

std::vector<std::string> Paths(const std::vector<const RemoteFile*>& files) {
  std::vector<std::string> paths;
  for (const RemoteFile* file : files) paths.push_back(file->path);
  return paths;
}

TEST(GraphChoiceTest, CompanionsAreSmallAndNear) {
  RemoteModel model =
      ModelWith({"README.md", "config.json", "config.min.json", "elsewhere/config.json",
                 "hubconf.py", "modeling_custom.py", "onnx/config.json", "onnx/model.onnx",
                 "onnx/model.onnx_data", "onnx/model.onnx_data_1", "pytorch_model.bin",
                 "tokenizer.json", "tokenizer.pkl", "vocab.pkl", "vocab.txt"});
  EXPECT_THAT(Paths(Companions(model, "onnx/model.onnx")),
              ElementsAre("README.md", "config.json", "config.min.json", "onnx/config.json",
                          "tokenizer.json", "vocab.txt"));
  EXPECT_THAT(Paths(LikelyWeights(model, "onnx/model.onnx")),
              ElementsAre("onnx/model.onnx_data", "onnx/model.onnx_data_1"));
  model.files[1].content.size_bytes = std::uint64_t{1} << 40;
  EXPECT_THAT(Paths(Companions(model, "onnx/model.onnx")),
              testing::Not(testing::Contains("config.json")));
}

}  // namespace
}  // namespace axon::hub
