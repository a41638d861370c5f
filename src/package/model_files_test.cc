// SPDX-License-Identifier: MIT
#include "package/model_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "package/onnx/test_model.h"
#include "package/test_folder.h"

namespace mlos::package {
namespace {

using onnx::test::ExternalTensor;
using onnx::test::IdentityGraph;
using onnx::test::ModelOf;
using onnx::test::Proto;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace fs = std::filesystem;

class ModelFilesTest : public FolderTest {
 protected:
  static std::string Graph(std::string_view doc = "") {
    return ModelOf(IdentityGraph().Bytes(10, doc)).bytes();
  }
  static std::string GraphWithData() {
    return ModelOf(IdentityGraph().Message(5, ExternalTensor("w", 4, {{"location", "w.bin"}})))
        .bytes();
  }

  std::vector<std::string> Paths(const ModelFiles& found) const {
    std::vector<std::string> paths;
    for (const FileEntry& file : found.files) paths.push_back(file.path);
    return paths;
  }

  /// A strict manifest over what the folder `m` holds.
  Manifest Listing(const std::vector<std::string>& paths) const {
    Manifest manifest;
    manifest.metadata = {.name = "m", .name_space = "hf", .version = "1"};
    manifest.format.execution_format = "onnx";
    for (const std::string& path : paths) {
      const auto digest = DigestBeneath(folder() / "m", path);
      manifest.format.files.push_back({path, digest->size_bytes, digest->sha256});
    }
    manifest.extension = Extension{.generator = "test"};
    return manifest;
  }
  void WriteListing(const Manifest& manifest) const {
    Write("m/manifest.yaml", WriteManifest(manifest));
  }

  void ExpectFailure(const Result<ModelFiles>& found, Reason reason, const char* said) const {
    ASSERT_FALSE(found.ok()) << said;
    EXPECT_EQ(found.status().reason(), reason) << found.status();
    EXPECT_THAT(std::string(found.status().message()), HasSubstr(said));
    EXPECT_EQ(found.status().message().find(folder().string()), std::string_view::npos);
  }
};

TEST_F(ModelFilesTest, ABareFileIsServedAsItIs) {
  Write("m/model.onnx", Graph());
  const auto found = FindModelFiles(folder() / "m/model.onnx");
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->directory, folder() / "m");
  EXPECT_EQ(found->graph, "model.onnx");
  EXPECT_EQ(found->EnginePath(), folder() / "m/model.onnx");
  EXPECT_EQ(found->execution_format, "onnx");
  EXPECT_TRUE(found->facts.has_schema);
  EXPECT_TRUE(found->facts.time_given_by_shapes);
  EXPECT_EQ(found->facts.inputs.at(0).name, "x");
  EXPECT_EQ(found->files.at(0).sha256, DigestOf(Graph()));
  EXPECT_FALSE(found->manifest);
  EXPECT_FALSE(found->verified());
}

TEST_F(ModelFilesTest, TheDigestFollowsTheBytesAndNotTheNames) {
  Write("a/model.onnx", GraphWithData());
  Write("a/w.bin", std::string(16, 'w'));
  Write("b/onnx/other.onnx", GraphWithData());
  Write("b/onnx/w.bin", std::string(16, 'w'));
  Write("c/model.onnx", GraphWithData());
  Write("c/w.bin", std::string(16, 'v'));
  const auto a = FindModelFiles(folder() / "a/model.onnx");
  const auto b = FindModelFiles(folder() / "b");
  const auto c = FindModelFiles(folder() / "c");
  ASSERT_TRUE(a.ok() && b.ok() && c.ok()) << a.status() << b.status() << c.status();
  EXPECT_THAT(Paths(*b), ElementsAre("onnx/other.onnx", "onnx/w.bin"));
  EXPECT_EQ(a->digest, b->digest);
  EXPECT_NE(a->digest, c->digest) << "the weights were swapped while the graph stayed the same";
}

TEST_F(ModelFilesTest, AFolderWithoutManifestHasExactlyOneGraph) {
  Write("m/config.json", "{}");
  ExpectFailure(FindModelFiles(folder() / "m"), Reason::kUnsupportedModel, "has no .onnx files");
  Write("m/onnx/model.onnx", Graph());
  EXPECT_EQ(FindModelFiles(folder() / "m")->graph, "onnx/model.onnx");
  Write("m/onnx/model_q4.ONNX", Graph("q4"));
  ExpectFailure(FindModelFiles(folder() / "m"), Reason::kUnsupportedModel,
                "2 of .onnx files (onnx/model.onnx, onnx/model_q4.ONNX)");
  const auto chosen = FindModelFiles(folder() / "m", {.graph = "onnx/model_q4.ONNX"});
  ASSERT_TRUE(chosen.ok()) << chosen.status();
  EXPECT_EQ(chosen->files.at(0).sha256, DigestOf(Graph("q4")));
  ExpectFailure(FindModelFiles(folder() / "m", {.graph = "../x"}), Reason::kInvalidField, "'../x'");
  ExpectFailure(FindModelFiles(folder() / "m", {.graph = "x"}), Reason::kFileNotFound, "x");
}

TEST_F(ModelFilesTest, TheManifestSaysWhichGraph) {
  Write("m/a.onnx", Graph("a"));
  Write("m/b.onnx", Graph("b"));
  Manifest manifest = Listing({"a.onnx", "b.onnx"});
  WriteListing(manifest);
  ExpectFailure(FindModelFiles(folder() / "m"), Reason::kUnsupportedModel, "(a.onnx, b.onnx)");

  manifest.format.execution_files = {{"b.onnx", "onnx", "single"}};
  WriteListing(manifest);
  EXPECT_EQ(FindModelFiles(folder() / "m")->graph, "b.onnx");

  manifest.format.execution_files = {{"a.onnx", "onnx", "encoder"}, {"b.onnx", "onnx", "decoder"}};
  WriteListing(manifest);
  ExpectFailure(FindModelFiles(folder() / "m"), Reason::kUnsupportedModel, "(a.onnx, b.onnx)");

  manifest.format.execution_files = {{"a.onnx", "onnx", "single"}, {"b.onnx", "onnx", "decoder"}};
  WriteListing(manifest);
  EXPECT_EQ(FindModelFiles(folder() / "m")->graph, "a.onnx");

  manifest.extension->graph = "b.onnx";
  WriteListing(manifest);
  EXPECT_EQ(FindModelFiles(folder() / "m")->graph, "b.onnx");
  EXPECT_EQ(FindModelFiles(folder() / "m", {.graph = "a.onnx"})->graph, "a.onnx");
}

TEST_F(ModelFilesTest, AManifestIsBinding) {
  Write("m/model.onnx", GraphWithData());
  Write("m/w.bin", std::string(16, 'w'));
  Manifest manifest = Listing({"model.onnx", "w.bin"});
  manifest.extension->verified = true;
  WriteListing(manifest);
  const auto found = FindModelFiles(folder() / "m");
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_TRUE(found->verified());
  EXPECT_TRUE(found->warnings.empty());
  EXPECT_THAT(Paths(*found), ElementsAre("model.onnx", "w.bin"));

  Write("m/w.bin", std::string(16, 'v'));
  ExpectFailure(FindModelFiles(folder() / "m"), Reason::kChecksumMismatch, "'w.bin': has sha256");
  Write("m/w.bin", std::string(16, 'w'));
  Write("m/lib.so", "code");
  ExpectFailure(FindModelFiles(folder() / "m"), Reason::kChecksumMismatch, "'lib.so'");
}

TEST_F(ModelFilesTest, ExternalDataLeftOutOfAStrictManifestIsRefused) {
  Write("m/model.onnx", GraphWithData());
  Write("m/w.bin", std::string(16, 'w'));
  WriteListing(Listing({"model.onnx"}));
  ExpectFailure(FindModelFiles(folder() / "m"), Reason::kChecksumMismatch, "'w.bin'");
}

TEST_F(ModelFilesTest, TheExistingToolsPackagesAreServedUnverified) {
  Write("m/model.onnx", Graph());
  Write("m/config.json", "{}");
  Write("m/manifest.yaml",
        "apiVersion: v1\nkind: Model\nmetadata: {name: m, namespace: hf, version: latest}\n"
        "spec:\n  colour: red\n  format:\n    execution_format: onnx\n"
        "    files: [{path: pytorch_model.bin, size: 0, sha256: ''}]\n"
        "    execution_files: [{path: model.onnx, format: onnx, type: single}]\n");
  const auto found = FindModelFiles(folder() / "m");
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_FALSE(found->verified());
  EXPECT_EQ(found->graph, "model.onnx");
  EXPECT_THAT(found->warnings,
              ElementsAre(HasSubstr("spec.colour"), HasSubstr("'pytorch_model.bin'"),
                          HasSubstr("'model.onnx' is not listed"), HasSubstr("'config.json'")));
}

TEST_F(ModelFilesTest, AManifestMayLieElsewhere) {
  Write("m/model.onnx", Graph());
  Write("elsewhere.yaml", WriteManifest(Listing({"model.onnx"})));
  const auto found = FindModelFiles(folder() / "m", {.manifest = folder() / "elsewhere.yaml"});
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_TRUE(found->manifest);
  ExpectFailure(FindModelFiles(folder() / "m", {.manifest = folder() / "absent.yaml"}),
                Reason::kFileNotFound, "absent.yaml");
}

TEST_F(ModelFilesTest, AKnownExtensionTellsTheFormat) {
  const ModelFilesRequest request{.extensions = {{".act", "acting"}}};
  Write("m/readme.md", "words");
  Write("m/inner/a.ACT", "2");
  const auto file = FindModelFiles(folder() / "m/inner/a.ACT", request);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->execution_format, "acting");
  EXPECT_FALSE(file->found_by_extension);
  const auto directory = FindModelFiles(folder() / "m", request);
  ASSERT_TRUE(directory.ok()) << directory.status();
  EXPECT_TRUE(directory->found_by_extension);
  EXPECT_EQ(directory->EnginePath(), file->EnginePath());
  EXPECT_EQ(directory->digest, file->digest);
  ExpectFailure(FindModelFiles(folder() / "m"), Reason::kUnsupportedModel, "no .onnx files");
  Write("m/b.act", "3");
  ExpectFailure(FindModelFiles(folder() / "m", request), Reason::kUnsupportedModel, "b.act");
  Write("m/model.onnx", Graph());
  EXPECT_EQ(FindModelFiles(folder() / "m", request)->execution_format, "onnx");
}

TEST_F(ModelFilesTest, FormatsWeCannotLookIntoAreDigestedWhole) {
  Write("m/model.gguf", "weights");
  Write("m/vocab.txt", "words");
  const auto file = FindModelFiles(folder() / "m/model.gguf");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->execution_format, "gguf");
  EXPECT_FALSE(file->facts.has_schema);
  EXPECT_FALSE(file->facts.time_given_by_shapes);
  EXPECT_THAT(Paths(*file), ElementsAre("model.gguf"));

  const auto directory = FindModelFiles(folder() / "m", {.execution_format = "gguf"});
  ASSERT_TRUE(directory.ok()) << directory.status();
  EXPECT_EQ(directory->EnginePath(), folder() / "m");
  EXPECT_THAT(Paths(*directory), ElementsAre("model.gguf", "vocab.txt"));
  EXPECT_NE(file->digest, directory->digest);
}

TEST_F(ModelFilesTest, AFormatNobodyRunsIsRefusedBeforeAnythingIsHashed) {
  Write("m/model.gguf", "weights");
  fs::resize_file(folder() / "m/model.gguf", std::uint64_t{1} << 40);
  std::string asked;
  const auto refuse = [&](std::string_view format) -> Status {
    asked += std::string(format) + " ";
    return {Reason::kNoPlugin, "nobody runs it"};
  };
  for (const char* path : {"m/model.gguf", "m"}) {
    ExpectFailure(FindModelFiles(folder() / path, {.execution_format = "gguf", .accepts = refuse}),
                  Reason::kNoPlugin, "nobody runs it");
  }
  Manifest manifest;
  manifest.metadata = {.name = "m", .name_space = "hf", .version = "1"};
  manifest.format.execution_format = "safetensors";
  manifest.format.files = {{"model.gguf", std::uint64_t{1} << 40, DigestOf("weights")}};
  manifest.extension = Extension{.generator = "test"};
  WriteListing(manifest);
  ExpectFailure(FindModelFiles(folder() / "m", {.accepts = refuse}), Reason::kNoPlugin, "nobody");
  EXPECT_EQ(asked, "gguf gguf safetensors ");
}

TEST_F(ModelFilesTest, AManifestThatTheCallerNamedIsTheCallersField) {
  Write("m/model.onnx", Graph());
  ASSERT_EQ(::mkfifo((folder() / "pipe").c_str(), 0600), 0);
  Write("bad.yaml", "a: [");
  for (const char* manifest : {"pipe", "absent", "bad.yaml"}) {
    const auto found = FindModelFiles(folder() / "m/model.onnx", {.manifest = folder() / manifest});
    ASSERT_FALSE(found.ok()) << manifest;
    EXPECT_EQ(found.status().field(), "manifest_path") << found.status();
  }
}

TEST_F(ModelFilesTest, WhatIsNoModelIsSaidToBeNone) {
  Write("m/model.onnx", "<!doctype html>");
  ExpectFailure(FindModelFiles(folder() / "m"), Reason::kInvalidModel, "is no ONNX model");
  ExpectFailure(FindModelFiles(folder() / "absent"), Reason::kFileNotFound, "absent");
  ExpectFailure(FindModelFiles("/dev/null"), Reason::kInvalidField, "neither a file nor a folder");
  Write("m/manifest.yaml", "a: &b 1");
  ExpectFailure(FindModelFiles(folder() / "m"), Reason::kInvalidManifest, "anchors");
}

TEST_F(ModelFilesTest, ALinkToAModelIsFollowedOnceAndNoneInside) {
  Write("m/model.onnx", Graph());
  fs::create_symlink("m/model.onnx", folder() / "link.onnx");
  const auto found = FindModelFiles(folder() / "link.onnx");
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->directory, folder() / "m");
  fs::create_symlink("/etc/passwd", folder() / "m/config.json");
  ExpectFailure(FindModelFiles(folder() / "m"), Reason::kUnsafePath, "symbolic link");
}

TEST_F(ModelFilesTest, CopiesAreCalledWhatTheDigestKnows) {
  const auto names_of = [this](const std::string& graph, const std::string& data) {
    Write(
        "m/" + graph,
        ModelOf(IdentityGraph().Message(5, ExternalTensor("w", 1, {{"location", data}}))).bytes());
    Write(fs::path("m/" + graph).parent_path() / data, "1234");
    return NamesForCopies(*FindModelFiles(folder() / "m" / graph));
  };
  EXPECT_THAT(names_of("a.onnx", "w.bin"), ElementsAre("model.onnx", "w.bin"));
  EXPECT_THAT(names_of("z.onnx", "w.bin"), ElementsAre("w.bin", "model.onnx"));
  EXPECT_THAT(names_of("b.onnx", "model.onnx"), ElementsAre("_model.onnx", "model.onnx"));
  EXPECT_THAT(names_of("c.onnx", "model.onnx2/w"), ElementsAre("model.onnx", "model.onnx2/w"));
}

TEST_F(ModelFilesTest, CopiesOfAnOtherFormatKeepTheirNames) {
  Write("m/a.gguf", "weights");
  const auto found = FindModelFiles(folder() / "m/a.gguf", {.execution_format = "gguf"});
  EXPECT_THAT(NamesForCopies(*found), ElementsAre("a.gguf"));
}

}  // namespace
}  // namespace mlos::package
