// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "package/manifest.h"
#include "package/test_folder.h"

namespace mlos::package {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kHex =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/// As the existing tool writes it after a conversion.
constexpr std::string_view kLegacy = R"(apiVersion: v1
kind: Model
metadata:
  name: bert-base-uncased
  namespace: hf
  version: latest
  description: "Model from Hugging Face: bert-base-uncased"
  authors: []
  license: Unknown
  created: 2025-11-20T10:00:00Z
  tags: []
spec:
  framework: {name: PyTorch, version: 2.0.0}
  format:
    type: pytorch
    execution_format: onnx
    files:
      - {path: pytorch_model.bin, size: 0, sha256: ""}
    execution_files:
      - {path: model.onnx, format: onnx, type: single}
  io:
    inputs:
      - name: input_ids
        dtype: int64
        shape: [-1, -1]
        preprocessing:
          {type: tokenization, tokenizer: tokenizer.json, tokenizer_type: bert, config: {}}
    outputs:
      - {name: logits, dtype: float32, shape: [-1, -1, -1]}
  requirements:
    compute:
      cpu: {min_cores: 2, recommended_cores: 4}
      memory: {min_gb: 1.5, recommended_gb: 4}
      gpu: {required: false, recommended: true, min_vram_gb: 4, cuda_version: 11.8}
    storage: {min_gb: 1, recommended_gb: 2}
  performance: {inference_time: {cpu: 12 ms}, throughput: {}, accuracy: {}, dataset: }
  dependencies: {models: [], packages: [{name: torch, version: 2.0}]}
distribution:
  package: {url: "https://example.com/x.axon", size: 0, sha256: "", mirrors: []}
  registry: {url: "https://example.com", namespace: hf}
)";

std::string Strict() {
  return std::string(R"(apiVersion: axon.mlos.io/v1
kind: Model
metadata: {name: google/vit, namespace: hf, version: latest}
spec:
  format:
    type: onnx
    execution_format: onnx
    files:
      - {path: onnx/model.onnx, size: 3, sha256: )") +
         std::string(kHex) + R"(}
    execution_files:
      - {path: onnx/model.onnx, format: onnx, type: single}
x-mlos:
  generator: axon 1.0.0
  source: {hub: huggingface, repository: google/vit, revision: main, commit: abc}
  graph: onnx/model.onnx
  verified: true
)";
}

std::string Replace(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(ManifestReader, ReadsTheExistingToolsManifest) {
  const auto parsed = ParseManifest(kLegacy);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_TRUE(parsed->warnings.empty());
  const Manifest& manifest = parsed->manifest;
  EXPECT_FALSE(manifest.strict());
  EXPECT_FALSE(manifest.verified());
  EXPECT_EQ(manifest.metadata.version, "latest");
  EXPECT_EQ(manifest.framework, (NamedVersion{"PyTorch", "2.0.0"}));
  EXPECT_EQ(manifest.format.files.at(0), (FileEntry{"pytorch_model.bin", 0, std::nullopt}));
  EXPECT_EQ(manifest.format.execution_files.at(0), (ExecutionFile{"model.onnx", "onnx", "single"}));
  EXPECT_EQ(manifest.io.inputs.at(0).preprocessing->tokenizer_type, "bert");
  EXPECT_EQ(manifest.io.outputs.at(0).shape, (std::vector<std::int64_t>{-1, -1, -1}));
  EXPECT_EQ(manifest.requirements.memory_min_gb, 1.5);
  EXPECT_TRUE(manifest.requirements.gpu_recommended);
  EXPECT_EQ(manifest.requirements.gpu_cuda_version, "11.8");
  EXPECT_EQ(manifest.performance.inference_time.at("cpu"), "12 ms");
  EXPECT_EQ(manifest.dependencies.packages.at(0), (NamedVersion{"torch", "2.0"}));
  EXPECT_EQ(manifest.distribution.registry_namespace, "hf");
  EXPECT_EQ(ModelIdOf(manifest)->text(), "hf/bert-base-uncased@latest");
}

TEST(ManifestReader, ReadsJsonWithCapitalisedKeys) {
  const auto parsed = ParseManifest(R"({
    "APIVersion": "v1", "Kind": "Model",
    "Metadata": {"Name": "bert", "Namespace": "hf", "Version": "latest", "Tags": null},
    "Spec": {"Framework": {"Name": "PyTorch", "Version": "2.0.0"},
             "Format": {"Type": "onnx", "ExecutionFormat": "onnx",
                        "Files": [{"Path": "model.onnx", "Size": 12, "SHA256": ""}],
                        "ExecutionFiles": [{"Path": "model.onnx", "Format": "onnx"}]},
             "IO": {"Inputs": [{"Name": "x", "DType": "float32", "Shape": [1, 3]}]},
             "Requirements": {"Compute": {"CPU": {"MinCores": 2}, "GPU": {"MinVRAMGB": 4}}}},
    "Distribution": {"Package": {"URL": "", "Size": 0}}})");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->warnings, std::vector<std::string>());
  EXPECT_EQ(parsed->manifest.format.execution_format, "onnx");
  EXPECT_EQ(parsed->manifest.format.files.at(0).size_bytes, 12u);
  EXPECT_EQ(parsed->manifest.requirements.gpu_min_vram_gb, 4);
}

TEST(ManifestReader, CapitalsMeanNothingInABlockDocument) {
  const auto parsed = ParseManifest(Replace(std::string(kLegacy), "metadata:", "Metadata:"));
  ASSERT_FALSE(parsed.ok());
  EXPECT_THAT(std::string(parsed.status().message()), HasSubstr("metadata: is missing"));
}

TEST(ManifestReader, ReadsItsOwnStrictForm) {
  const auto parsed = ParseManifest(Strict());
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_TRUE(parsed->manifest.strict());
  EXPECT_TRUE(parsed->manifest.verified());
  EXPECT_EQ(parsed->manifest.extension->source.commit, "abc");
  EXPECT_EQ(parsed->manifest.format.files.at(0).sha256->Hex(), kHex);
}

TEST(ManifestReader, UnknownKeysWarnInALegacyManifestOnly) {
  const auto legacy =
      ParseManifest(Replace(std::string(kLegacy), "  license:", "  colour: red\n  license:"));
  ASSERT_TRUE(legacy.ok()) << legacy.status();
  ASSERT_EQ(legacy->warnings.size(), 1u);
  EXPECT_THAT(legacy->warnings[0], HasSubstr("line 9: metadata.colour"));

  const auto strict = ParseManifest(Replace(Strict(), "  graph:", "  colour: red\n  graph:"));
  ASSERT_FALSE(strict.ok());
  EXPECT_EQ(strict.status().field(), "x-mlos.colour");
}

struct Edit {
  std::string from;
  std::string to;
  const char* field;
};

class EditedManifest : public ::testing::Test {
 protected:
  static void ExpectRefused(const std::string& text, const Edit& edit) {
    const auto parsed = ParseManifest(Replace(text, edit.from, edit.to));
    ASSERT_FALSE(parsed.ok()) << edit.to;
    EXPECT_EQ(parsed.status().reason(), Reason::kInvalidManifest) << edit.to;
    EXPECT_EQ(parsed.status().field(), edit.field) << parsed.status();
  }
};

TEST_F(EditedManifest, WhatIsWrongInAnyManifestIsNamed) {
  const Edit edits[] = {
      {"apiVersion: v1", "apiVersion: v2", "apiVersion"},
      {"apiVersion: v1\n", "", "apiVersion"},
      {"kind: Model", "kind: Pod", "kind"},
      {"name: bert-base-uncased", "name: ", "metadata.name"},
      {"namespace: hf\n", "namespace: [hf]\n", "metadata.namespace"},
      {"  version: latest\n", "", "metadata.version"},
      {"size: 0,", "size: -1,", "spec.format.files[0].size"},
      {"size: 0,", "size: 9223372036854775808,", "spec.format.files[0].size"},
      {"sha256: \"\"", "sha256: \"md5:00\"", "spec.format.files[0].sha256"},
      {"path: pytorch_model.bin", "path: ../pytorch_model.bin", "spec.format.files[0].path"},
      {"path: pytorch_model.bin", "path: /etc/passwd", "spec.format.files[0].path"},
      {"path: pytorch_model.bin", "path: 'C:\\x'", "spec.format.files[0].path"},
      {"path: model.onnx", "path: a/./model.onnx", "spec.format.execution_files[0].path"},
      {"execution_format: onnx", "multi_encoder: dragon", "spec.format.multi_encoder"},
      {"shape: [-1, -1]", "shape: [-2]", "spec.io.inputs[0].shape"},
      {"shape: [-1, -1]", "shape: 4", "spec.io.inputs[0].shape"},
      {"min_cores: 2", "min_cores: -2", "spec.requirements.compute.cpu.min_cores"},
      {"min_gb: 1.5", "min_gb: .nan", "spec.requirements.compute.memory.min_gb"},
      {"required: false", "required: 7", "spec.requirements.compute.gpu.required"},
      {"kind: Model", "kind: Model\nkind: Model", ""},
      {"- {path: pytorch_model.bin, size: 0, sha256: \"\"}",
       "- {path: a, size: 0}\n      - {path: a, size: 0}", "spec.format.files[1].path"},
      {"- {path: pytorch_model.bin, size: 0, sha256: \"\"}",
       "- {path: a/b, size: 0}\n      - {path: a, size: 0}", "spec.format.files"},
  };
  for (const Edit& edit : edits) ExpectRefused(std::string(kLegacy), edit);
}

TEST_F(EditedManifest, AStrictManifestIsHeldToItsPromises) {
  const Edit edits[] = {
      {"apiVersion: axon.mlos.io/v1", "apiVersion: v1", "apiVersion"},
      {"name: google/vit", "name: google//vit", "metadata.name"},
      {"namespace: hf", "namespace: -rf", "metadata.name"},
      {std::string(kHex), "''", "spec.format.files[0].sha256"},
      {"execution_format: onnx", "execution_format: ''", "spec.format.execution_format"},
      {"path: onnx/model.onnx, format", "path: other.onnx, format",
       "spec.format.execution_files[0].path"},
      {"graph: onnx/model.onnx", "graph: other.onnx", "x-mlos.graph"},
      {"generator: axon 1.0.0", "verified: true", ""},
      {"  generator: axon 1.0.0\n", "", "x-mlos.generator"},
      {"path: onnx/model.onnx, size", "path: manifest.yaml, size", "spec.format.files[0].path"},
      {"verified: true", "verified: perhaps", "x-mlos.verified"},
  };
  for (const Edit& edit : edits) ExpectRefused(Strict(), edit);
}

constexpr std::string_view kServing = R"(  serving:
    max_batch_size: 8
    max_queue_delay_us: 0
    state_pairs: {h: hn, "1": yes}
    options:
      depth: 2
      names: ["2", two]
)";

std::string Served(const std::string& manifest) {
  std::string text = manifest;
  const std::size_t at = text.find("spec:\n") + 6;
  return text.insert(at, kServing);
}

TEST(ManifestReader, TakesHowAModelIsToBeServed) {
  for (const std::string& text : {Served(std::string(kLegacy)), Served(Strict())}) {
    const auto parsed = ParseManifest(text);
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_TRUE(parsed->warnings.empty());
    const settings::ModelSettings& serving = parsed->manifest.serving;
    EXPECT_EQ(serving.max_batch_size, 8);
    EXPECT_EQ(serving.preferred_batch_size, std::nullopt);
    EXPECT_EQ(serving.max_queue_delay_us, 0);
    EXPECT_EQ(serving.state_pairs, (settings::TextMap{{"h", "hn"}, {"1", "yes"}}));
    EXPECT_EQ(serving.options.text, R"({"depth":2,"names":["2","two"]})");
  }
  EXPECT_EQ(ParseManifest(Strict())->manifest.serving, settings::ModelSettings());
}

TEST_F(EditedManifest, ServingHasTheBoundsOfARegistration) {
  const std::string name(300, 'h');
  const Edit edits[] = {
      {"max_batch_size: 8", "max_batch_size: -1", "spec.serving.max_batch_size"},
      {"max_batch_size: 8", "max_batch_size: many", "spec.serving.max_batch_size"},
      {"max_queue_delay_us: 0", "max_queue_delay_us: 2000000", "spec.serving.max_queue_delay_us"},
      {"{h: hn, ", "{h: " + name + ", ", "spec.serving.state_pairs"},
      {"{h: hn, \"1\": yes}", "[h, hn]", "spec.serving.state_pairs"},
      {"depth: 2", "depth: 1e999", "spec.serving.options"},
      {"depth: 2", "depth: " + std::string(16, '[') + std::string(16, ']'), "spec.serving.options"},
      {"depth: 2", "depth: " + std::string(70'000, 'x'), "spec.serving.options"},
      {"max_queue_delay_us: 0", "max_queue_delay: 0", "spec.serving.max_queue_delay"},
  };
  for (const Edit& edit : edits) ExpectRefused(Served(Strict()), edit);
}

TEST(ManifestReader, NoNormalDocumentCrashesIt) {
  for (const char* text : {"", "~", "[]", "text", "{}", "1", "a: b", "metadata: ~\nspec: ~\n"}) {
    const auto parsed = ParseManifest(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.status().reason(), Reason::kInvalidManifest);
  }
}

using ManifestFile = FolderTest;

TEST_F(ManifestFile, AFileAboveTheLimitIsNotRead) {
  Write("manifest.yaml", std::string(kManifestBytesMax + 1, ' '));
  const auto parsed = ReadManifest(folder() / "manifest.yaml");
  ASSERT_FALSE(parsed.ok());
  EXPECT_EQ(parsed.status().reason(), Reason::kInvalidManifest);
  EXPECT_EQ(ReadManifest(folder() / "absent").status().reason(), Reason::kFileNotFound);
}

}  // namespace
}  // namespace mlos::package
