// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <functional>

#include "package/onnx/model.h"
#include "package/onnx/test_model.h"
#include "package/test_folder.h"

namespace mlos::package::onnx {
namespace {

using test::Entry;
using test::ExternalTensor;
using test::IdentityGraph;
using test::ModelOf;
using test::Proto;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string WithInitializer(const Proto& tensor) {
  return ModelOf(IdentityGraph().Message(5, tensor)).bytes();
}

TEST(ExternalData, AReferenceIsReadWhole) {
  const auto parsed = ParseModel(WithInitializer(ExternalTensor(
      "w", 4,
      {{"location", "weights.bin"}, {"offset", "4096"}, {"length", "16"}, {"checksum", "0123"}})));
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  ASSERT_EQ(parsed->external_data.size(), 1u);
  const ExternalData& data = parsed->external_data[0];
  EXPECT_EQ(data.tensor, "w");
  EXPECT_EQ(data.location, "weights.bin");
  EXPECT_EQ(data.offset_bytes, 4096u);
  EXPECT_EQ(data.length_bytes, 16u);
  EXPECT_EQ(data.tensor_bytes, 16u);
  EXPECT_EQ(data.checksum, "0123");
  EXPECT_EQ(parsed->tensor_bytes, 16u);
}

// ONNX Runtime 1.26 checked initializers only: every place that holds a TensorProto counts.
TEST(ExternalData, IsFoundWhereverATensorMayStand) {
  const Proto tensor = ExternalTensor("w", 4, {{"location", "hidden.bin"}});
  const Proto sparse_values = Proto().Message(1, tensor);
  const Proto sparse_indices = Proto().Message(2, tensor);
  const auto node = [](const Proto& attribute) { return Proto().Message(5, attribute); };
  const auto in_model = [](const Proto& node) {
    return ModelOf(IdentityGraph().Message(1, node)).bytes();
  };
  const Proto subgraph = Proto().Message(5, tensor);
  const std::pair<const char*, std::string> places[] = {
      {"initializer", WithInitializer(tensor)},
      {"sparse initializer values", ModelOf(IdentityGraph().Message(15, sparse_values)).bytes()},
      {"sparse initializer indices", ModelOf(IdentityGraph().Message(15, sparse_indices)).bytes()},
      {"attribute t", in_model(node(Proto().Message(5, tensor)))},
      {"attribute tensors", in_model(node(Proto().Message(10, tensor).Message(10, tensor)))},
      {"attribute sparse_tensor", in_model(node(Proto().Message(22, sparse_values)))},
      {"attribute sparse_tensors", in_model(node(Proto().Message(23, sparse_indices)))},
      {"subgraph", in_model(node(Proto().Message(6, subgraph)))},
      {"subgraphs", in_model(node(Proto().Message(11, subgraph)))},
      {"subgraph of a subgraph",
       in_model(node(Proto().Message(6, Proto().Message(1, node(Proto().Message(6, subgraph))))))},
      {"function node", ModelOf(IdentityGraph())
                            .Message(25, Proto().Message(7, node(Proto().Message(5, tensor))))
                            .bytes()},
      {"function attribute", ModelOf(IdentityGraph())
                                 .Message(25, Proto().Message(11, Proto().Message(5, tensor)))
                                 .bytes()},
      {"training initialization",
       ModelOf(IdentityGraph()).Message(20, Proto().Message(1, subgraph)).bytes()},
      {"training algorithm",
       ModelOf(IdentityGraph()).Message(20, Proto().Message(2, subgraph)).bytes()},
  };
  for (const auto& [place, bytes] : places) {
    const auto parsed = ParseModel(bytes);
    ASSERT_TRUE(parsed.ok()) << place << parsed.status();
    EXPECT_THAT(parsed->ExternalFiles(), ElementsAre("hidden.bin")) << place;
  }
}

TEST(ExternalData, UnsafeReferencesAreRefused) {
  struct Case {
    std::vector<Entry> entries;
    const char* said;
  };
  const Case cases[] = {
      {{{"location", "../../etc/passwd"}}, "not a plain path"},
      {{{"location", "/etc/passwd"}}, "not a plain path"},
      {{{"location", "a/../../b"}}, "not a plain path"},
      {{{"location", "a/../b"}}, "not a plain path"},
      {{{"location", "./../b"}}, "not a plain path"},
      {{{"location", "/./b"}}, "not a plain path"},
      {{{"location", "./"}}, "not a plain path"},
      {{{"location", "..\\b"}}, "not a plain path"},
      {{{"location", ""}}, "not a plain path"},
      {{{"location", std::string("a\0b", 3)}}, "not a plain path"},
      {{{"location", "*/_ORT_MEM_ADDR_/*"}, {"offset", "4096"}}, "not a plain path"},
      {{{"offset", "0"}}, "does not say where"},
      {{}, "does not say where"},
      {{{"location", "w"}, {"offset", "-1"}}, "not a whole number"},
      {{{"location", "w"}, {"offset", "1.5"}}, "not a whole number"},
      {{{"location", "w"}, {"offset", "0x10"}}, "not a whole number"},
      {{{"location", "w"}, {"offset", " 1"}}, "not a whole number"},
      {{{"location", "w"}, {"offset", ""}}, "not a whole number"},
      {{{"location", "w"}, {"length", "-16"}}, "not a whole number"},
      {{{"location", "w"}, {"length", "99999999999999999999"}}, "not a whole number"},
      {{{"location", "w"}, {"length", "9223372036854775808"}}, "not a whole number"},
      {{{"location", "w"}, {"location", "v"}}, "says twice"},
      {{{"location", "w"}, {"offset", "0"}, {"offset", "4"}}, "says twice"},
      {{{"location", "w"}, {"basepath", "/etc"}}, "unknown key 'basepath'"},
      {{{"location", "w"}, {"__class__", "x"}}, "unknown key '__class__'"},
  };
  for (const Case& c : cases) {
    const auto parsed = ParseModel(WithInitializer(ExternalTensor("w", 4, c.entries)));
    ASSERT_FALSE(parsed.ok()) << c.said;
    EXPECT_EQ(parsed.status().reason(), Reason::kInvalidModel);
    EXPECT_THAT(std::string(parsed.status().message()), HasSubstr(c.said));
  }
}

TEST(ExternalData, EmptyStepsOfALocationAreLeftOut) {
  for (const auto& [location, file] :
       {std::pair("./w", "w"), {"a//w", "a/w"}, {".//a/./w", "a/w"}}) {
    const auto parsed =
        ParseModel(WithInitializer(ExternalTensor("w", 4, {{"location", location}})));
    ASSERT_TRUE(parsed.ok()) << location;
    EXPECT_THAT(parsed->ExternalFiles(), ElementsAre(file));
  }
}

TEST(ExternalData, EntriesCountWhateverTheDataLocationSays) {
  const Proto tensor = Proto().Varint(1, 4).Varint(2, 1).Message(
      13, Proto().Bytes(1, "location").Bytes(2, "../secret"));
  EXPECT_FALSE(ParseModel(WithInitializer(tensor)).ok());
}

TEST(ExternalData, StringsAndInlineDataAreNotExternal) {
  const Proto strings = Proto().Varint(1, 4).Varint(2, 8).Varint(14, 1).Message(
      13, Proto().Bytes(1, "location").Bytes(2, "w"));
  EXPECT_FALSE(ParseModel(WithInitializer(strings)).ok());
  const Proto both = ExternalTensor("w", 4, {{"location", "w"}}).Bytes(9, std::string(16, 'w'));
  EXPECT_FALSE(ParseModel(WithInitializer(both)).ok());
}

class ExternalDataFile : public FolderTest {
 protected:
  Status Check(const std::vector<Entry>& entries) const {
    Write("m/onnx/model.onnx", WithInitializer(ExternalTensor("w", 4, entries)));
    return CheckModel(folder() / "m", "onnx/model.onnx").status();
  }

  void ExpectRefused(const std::vector<Entry>& entries, const char* said) const {
    const Status status = Check(entries);
    ASSERT_FALSE(status.ok()) << said;
    EXPECT_EQ(status.reason(), Reason::kInvalidModel) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(said));
    EXPECT_EQ(status.message().find(folder().string()), std::string_view::npos) << status;
  }
};

TEST_F(ExternalDataFile, LiesBesideTheGraphAndIsLargeEnough) {
  Write("m/onnx/w.bin", std::string(32, 'w'));
  Write("m/onnx/sub/w.bin", std::string(16, 'w'));
  Write("m/w.bin", std::string(99, 'w'));
  EXPECT_EQ(Check({{"location", "w.bin"}}).ToString(), "OK");
  EXPECT_EQ(Check({{"location", "sub/w.bin"}}).ToString(), "OK");
  EXPECT_EQ(Check({{"location", "w.bin"}, {"offset", "16"}, {"length", "16"}}).ToString(), "OK");
  ExpectRefused({{"location", "absent.bin"}}, "which does not exist");
  ExpectRefused({{"location", "w.bin"}, {"offset", "20"}}, "has 12 bytes at its offset, not 16");
  ExpectRefused({{"location", "w.bin"}, {"offset", "33"}}, "ends before its offset 33");
  ExpectRefused({{"location", "w.bin"}, {"length", "33"}}, "has 32 bytes at its offset, not 33");
  ExpectRefused({{"location", "w.bin"}, {"length", "8"}}, "takes 8 bytes, not 16");
  ExpectRefused(
      {{"location", "w.bin"}, {"offset", "9223372036854775807"}, {"length", "9223372036854775807"}},
      "ends before its offset");
}

TEST_F(ExternalDataFile, IsNoLinkFolderOrPipe) {
  Write("secret", std::string(64, 's'));
  Write("m/onnx/real.bin", std::string(64, 'w'));
  std::filesystem::create_symlink(folder() / "secret", folder() / "m/onnx/out");
  std::filesystem::create_symlink("real.bin", folder() / "m/onnx/in");
  std::filesystem::create_directory_symlink(folder(), folder() / "m/onnx/dir");
  std::filesystem::create_directory(folder() / "m/onnx/folder");
  ASSERT_EQ(::mkfifo((folder() / "m/onnx/pipe").c_str(), 0600), 0);
  ExpectRefused({{"location", "out"}}, "symbolic link");
  ExpectRefused({{"location", "in"}}, "symbolic link");
  ExpectRefused({{"location", "dir/secret"}}, "symbolic link");
  ExpectRefused({{"location", "folder"}}, "not a regular file");
  ExpectRefused({{"location", "pipe"}}, "not a regular file");
}

TEST_F(ExternalDataFile, TheGraphItselfIsReachedWithoutLinks) {
  Write("m/real.onnx", ModelOf(IdentityGraph()).bytes());
  std::filesystem::create_symlink("real.onnx", folder() / "m/link.onnx");
  EXPECT_TRUE(CheckModel(folder() / "m", "real.onnx").ok());
  EXPECT_EQ(CheckModel(folder() / "m", "link.onnx").status().reason(), Reason::kUnsafePath);
  EXPECT_EQ(CheckModel(folder() / "m", "../m/real.onnx").status().reason(), Reason::kUnsafePath);
}

}  // namespace
}  // namespace mlos::package::onnx
