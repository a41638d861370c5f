// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "base/text.h"
#include "package/manifest.h"

namespace mlos::package {
namespace {

/// Random manifests out of what YAML readers stumble over.
class ManifestMaker {
 public:
  explicit ManifestMaker(unsigned seed) : random_(seed) {}

  Manifest Make() {
    Manifest m;
    m.metadata = {.name = Text(),
                  .name_space = Text(),
                  .version = Text(),
                  .description = Text(),
                  .license = Text(),
                  .homepage = Text(),
                  .documentation = Text(),
                  .created = Text(),
                  .updated = Text(),
                  .tags = Texts()};
    Repeat([&] { m.metadata.authors.push_back({Text(), Text(), Text()}); });
    m.framework = {Text(), Text()};
    m.format.type = Text();
    m.format.execution_format = Text();
    m.format.multi_encoder = Chance() ? "" : "seq2seq";
    MakeFiles(m.format);
    MakeIo(m.io);
    MakeRequirements(m.requirements);
    m.performance = {TextMap(), TextMap(), TextMap(), Text()};
    Repeat([&] { m.dependencies.models.push_back({Text(), Text()}); });
    Repeat([&] { m.dependencies.packages.push_back({Text(), Text()}); });
    if (Chance()) MakeServing(m.serving);
    m.distribution = {Text(), Number(), Sha(), Texts(), Text(), Text()};
    return m;
  }

  /// Also keeps the promises of a strict manifest.
  Manifest MakeStrict() {
    Manifest m = Make();
    m.metadata.name = "org/name";
    m.metadata.name_space = "hf";
    m.metadata.version = "1.0";
    m.format.execution_format = "onnx";
    m.format.files.push_back({"graph.onnx", 1, DigestOf("graph")});
    for (FileEntry& file : m.format.files) file.sha256 = DigestOf(file.path);
    m.format.execution_files = {{"graph.onnx", "onnx", "single"}};
    m.extension = Extension{Text(), {Text(), Text(), Text(), Text()}, "graph.onnx", Chance()};
    return m;
  }

 private:
  static void MakeServing(settings::ModelSettings& serving) {
    serving = {
        .max_batch_size = 8, .max_queue_delay_us = 0, .state_pairs = {{"no", "~"}, {"1", ""}}};
    serving.options.text = R"({"a b":[1,-2.5,true,false,null,"2","true","~","ü\n\"x\""],)"
                           R"("":{},"c":{"d":[[],[{"e":"&f"}]]},"yes":"no"})";
  }

  std::uint64_t Number() { return random_() >> (random_() % 63 + 1); }
  bool Chance() { return (random_() & 1) != 0; }
  template <typename Work>
  void Repeat(const Work& work) {
    for (std::uint64_t i = random_() % 4; i > 0; --i) work();
  }

  /// Never empty, so that required fields are there.
  std::string Text() {
    static const std::vector<std::string> kTexts = {"plain",
                                                    "no",
                                                    "Yes",
                                                    "true",
                                                    "~",
                                                    "null",
                                                    "1.0",
                                                    "0x10",
                                                    "1e3",
                                                    "-",
                                                    "- a",
                                                    "a: b",
                                                    "#c",
                                                    " lead",
                                                    "trail ",
                                                    "'q'",
                                                    "\"d\"",
                                                    "{x}",
                                                    "[y]",
                                                    "&anchor",
                                                    "*alias",
                                                    "!tag",
                                                    "%dir",
                                                    "@at",
                                                    "`tick",
                                                    "<<",
                                                    "line\nline\n",
                                                    "tab\there",
                                                    "back\\slash",
                                                    "é ∑ 🙂",
                                                    "?",
                                                    ": ",
                                                    "2025-01-01T00:00:00Z",
                                                    "multi\n\n  indented\n",
                                                    "\xc2\x85nel",
                                                    "=",
                                                    "|",
                                                    ">",
                                                    "cr\r\nlf",
                                                    std::string(300, 'w'),
                                                    "12:30:45",
                                                    ".inf",
                                                    "\xef\xbb\xbf"
                                                    "bom",
                                                    "https://x/y?z=1#f"};
    return kTexts[random_() % kTexts.size()];
  }
  std::vector<std::string> Texts() {
    std::vector<std::string> texts;
    Repeat([&] { texts.push_back(Chance() ? Text() : ""); });
    return texts;
  }
  std::map<std::string, std::string> TextMap() {
    std::map<std::string, std::string> texts;
    // "<<" as a plain key would be a merge; the writer quotes it.
    Repeat([&] { texts[Text()] = Text(); });
    return texts;
  }
  std::optional<Digest> Sha() { return Chance() ? std::optional(DigestOf(Text())) : std::nullopt; }

  void MakeFiles(Format& format) {
    int index = 0;
    Repeat([&] {
      format.files.push_back({"dir/file " + std::to_string(index++), Number(), Sha()});
      format.execution_files.push_back({format.files.back().path, Text(), Text()});
    });
  }

  IoTensor Tensor() {
    IoTensor tensor{.name = Text(), .dtype = Text(), .description = Chance() ? Text() : ""};
    if (Chance()) {
      tensor.shape.emplace();
      Repeat([&] { tensor.shape->push_back(static_cast<std::int64_t>(Number()) - 1); });
    }
    if (Chance()) {
      tensor.preprocessing = Preprocessing{.type = Text(), .tokenizer = Text()};
      Repeat([&] { tensor.preprocessing->config.mean.push_back(Real()); });
      Repeat([&] { tensor.preprocessing->config.std.push_back(-Real()); });
      Repeat([&] { tensor.preprocessing->config.resize.push_back(224); });
    }
    return tensor;
  }
  double Real() { return std::uniform_real_distribution<double>(0, 1000)(random_); }

  void MakeIo(Io& io) {
    Repeat([&] { io.inputs.push_back(Tensor()); });
    Repeat([&] { io.outputs.push_back(Tensor()); });
  }

  void MakeRequirements(Requirements& wanted) {
    if (Chance()) return;
    wanted = {4, 8, Real(), Real(), Chance(), Chance(), Real(), Text(), Real(), Real()};
  }

  std::mt19937_64 random_;
};

TEST(ManifestWriter, EveryManifestIsReadBackEqual) {
  for (unsigned seed = 0; seed < 500; ++seed) {
    const Manifest manifest = ManifestMaker(seed).Make();
    const std::string text = WriteManifest(manifest);
    const auto parsed = ParseManifest(text);
    ASSERT_TRUE(parsed.ok()) << parsed.status() << "\n" << text;
    ASSERT_EQ(parsed->manifest, manifest) << text;
    ASSERT_EQ(WriteManifest(parsed->manifest), text);
    ASSERT_EQ(parsed->warnings, std::vector<std::string>()) << text;
  }
}

TEST(ManifestWriter, EveryStrictManifestIsReadBackEqual) {
  for (unsigned seed = 0; seed < 500; ++seed) {
    const Manifest manifest = ManifestMaker(seed).MakeStrict();
    const std::string text = WriteManifest(manifest);
    const auto parsed = ParseManifest(text);
    ASSERT_TRUE(parsed.ok()) << parsed.status() << "\n" << text;
    ASSERT_EQ(parsed->manifest, manifest) << text;
  }
}

TEST(ManifestWriter, IsAPleasureToRead) {
  Manifest manifest;
  manifest.metadata = {.name = "bert", .name_space = "hf", .version = "1.0"};
  manifest.format = {.type = "onnx", .execution_format = "onnx"};
  manifest.format.files = {{"model.onnx", 3, DigestOf("abc")}};
  manifest.io.inputs = {{.name = "x", .dtype = "int64", .shape = {{-1, 3}}}};
  manifest.extension = Extension{"axon 1.0.0", {"huggingface", "bert", "main", "abc"}, "", true};
  EXPECT_EQ(WriteManifest(manifest), R"(apiVersion: axon.mlos.io/v1
kind: Model
metadata:
  name: bert
  namespace: hf
  version: "1.0"
spec:
  format:
    type: onnx
    execution_format: onnx
    files:
      - path: model.onnx
        size: 3
        sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
  io:
    inputs:
      - name: x
        dtype: int64
        shape: [-1, 3]
x-mlos:
  generator: "axon 1.0.0"
  source:
    hub: huggingface
    repository: bert
    revision: main
    commit: abc
  verified: true
)");
}

TEST(ManifestWriter, AStrangersControlCharactersBecomeSpaces) {
  Manifest manifest;
  manifest.metadata = {
      .name = "a", .name_space = "b", .version = "c", .description = "red \x1b[31m\x07 \x7f"};
  const auto parsed = ParseManifest(WriteManifest(manifest));
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->manifest.metadata.description, "red  [31m   ");
}

}  // namespace
}  // namespace mlos::package
