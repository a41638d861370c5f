// SPDX-License-Identifier: MIT
#include "catalog/plugin_descriptor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "package/test_folder.h"

namespace mlos::catalog {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::string_view kWhole =
    "id: my-plugin\nname: Mine\nformats: [acme, acme-2]\nextensions: [.acme, .ac2]\n"
    "isolation: none\ndevices: [cpu]\n";

class PluginDescriptorTest : public package::FolderTest {
 protected:
  void Describe(const std::string& name, std::string_view text) {
    Write(name + ".so", "");
    Write(name + ".plugin.yaml", std::string(text));
    fs::permissions(folder() / (name + ".plugin.yaml"), fs::perms{0644});
  }
  Status Refusal(std::string_view text) {
    Describe("refused", text);
    return ReadDescriptor(folder() / "refused.plugin.yaml").status();
  }
};

TEST_F(PluginDescriptorTest, TellsWhatIsKnownOfAPluginThatIsNotLoaded) {
  Describe("libmine", kWhole);
  const auto found = FindDescriptor(folder() / "libmine.so");
  ASSERT_TRUE(found.ok()) << found.status();
  ASSERT_TRUE(found->has_value());
  EXPECT_EQ((*found)->library, fs::canonical(folder() / "libmine.so"));
  EXPECT_EQ((*found)->id, "my-plugin");
  EXPECT_EQ((*found)->name, "Mine");
  EXPECT_THAT((*found)->formats, ElementsAre("acme", "acme-2"));
  EXPECT_THAT((*found)->extensions, ElementsAre(".acme", ".ac2"));
  EXPECT_FALSE(FindDescriptor(folder() / "other.so")->has_value());
}

TEST_F(PluginDescriptorTest, NeedsNoMoreThanAnIdAndAFormat) {
  Describe("small", "id: small\nformats: [acme]\n");
  const auto found = ReadDescriptor(folder() / "small.plugin.yaml");
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_THAT(found->extensions, IsEmpty());
}

TEST_F(PluginDescriptorTest, TheOneOfTheGuideIsGood) {
  std::ifstream file("docs/PLUGIN-DEVELOPMENT.md");
  const std::string guide(std::istreambuf_iterator<char>(file), {});
  constexpr std::string_view kFence = "```yaml\n";
  const std::size_t start = guide.find(kFence);
  ASSERT_NE(start, std::string::npos);
  const std::string text = guide.substr(start + kFence.size());
  Describe("my_plugin", text.substr(0, text.find("```")));
  const auto found = ReadDescriptor(folder() / "my_plugin.plugin.yaml");
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->id, "my-ml-plugin");
}

TEST_F(PluginDescriptorTest, IsRefusedWithTheFieldThatIsWrong) {
  const struct {
    const char* text;
    const char* message;
  } cases[] = {
      {"formats: [acme]", "id"},
      {"id: ../etc\nformats: [acme]", "id: '../etc'"},
      {"id: x", "formats: lists no format"},
      {"id: x\nformats: acme", "formats"},
      {"id: x\nformats: [Acme]", "formats: 'Acme'"},
      {"id: x\nformats: [acme]\nextensions: [acme]", "extensions: 'acme'"},
      {"id: x\nformats: [acme]\nextensions: [.ACME]", "extensions: '.ACME'"},
      {"id: x\nformats: [acme]\nisolation: process", "isolation: 'process' is not supported"},
      {"id: x\nformats: [acme]\ndevices: [cpu, cuda]", "devices: 'cuda' is not supported"},
      {"id: x\nformats: [acme]\ncolour: red", "colour"},
      {"id: x\nid: y\nformats: [acme]", "id"},
      {"id: &a x\nformats: [acme]", "line 1"},
      {"[]", ""},
      {"", "id"},
  };
  for (const auto& c : cases) {
    const Status status = Refusal(c.text);
    EXPECT_EQ(status.reason(), Reason::kPluginIncompatible) << c.text << ": " << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.message)) << c.text;
  }
  EXPECT_EQ(Refusal(std::string(20'000, '#')).reason(), Reason::kPayloadTooLarge);
}

TEST_F(PluginDescriptorTest, IsRefusedIfOthersMayChangeIt) {
  Describe("open", kWhole);
  fs::permissions(folder() / "open.plugin.yaml", fs::perms{0666});
  const Status status = ReadDescriptor(folder() / "open.plugin.yaml").status();
  EXPECT_EQ(status.reason(), Reason::kPathNotAllowed);
  EXPECT_THAT(std::string(status.message()), HasSubstr("the plugin's descriptor may be changed"));
}

TEST_F(PluginDescriptorTest, OneThatIsBrokenOrAloneKeepsNoOtherFromBeingFound) {
  Describe("a", "id: a\nformats: [acme]\n");
  Describe("b", "{");
  Describe("c", "id: c\nformats: [acme]\n");
  Describe("d", "id: d\nformats: [acme]\n");
  fs::remove(folder() / "d.so");
  std::vector<std::string> ids;
  for (const PluginDescriptor& descriptor : DescriptorsIn(folder())) ids.push_back(descriptor.id);
  EXPECT_THAT(ids, ElementsAre("a", "c"));
  EXPECT_THAT(DescriptorsIn(folder() / "none"), IsEmpty());
}

}  // namespace
}  // namespace mlos::catalog
