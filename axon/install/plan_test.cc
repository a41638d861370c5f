// SPDX-License-Identifier: MIT
#include "axon/install/plan.h"

#include <gmock/gmock.h>

#include "axon/install/test_repository.h"

namespace axon::install {
namespace {

using hub::RemoteFile;
using mlos::Reason;
using mlos::Status;
using testing::ElementsAre;
using testing::IsEmpty;

class PlanTest : public RepositoryTest {
 protected:
  std::vector<std::string> PathsOf(const Plan& plan) const {
    std::vector<std::string> paths;
    for (const RemoteFile& file : plan.files) paths.push_back(file.path);
    return paths;
  }
};

TEST_F(PlanTest, HasTheGraphItsWeightsAndItsCompanionsSortedAndOnce) {
  List("README.md", "card");
  List("config.json", "{}");
  List("onnx/model.onnx", "graph");
  List("onnx/model.onnx_data", "weights");
  List("onnx/other.onnx", "another graph");
  List("pytorch_model.bin", "pickle");
  const Plan plan = Planned().value();
  EXPECT_EQ(plan.graph.path, "onnx/model.onnx");
  EXPECT_THAT(PathsOf(plan),
              ElementsAre("README.md", "config.json", "onnx/model.onnx", "onnx/model.onnx_data"));
  EXPECT_EQ(plan.total_bytes(), 4U + 2U + 5U + 7U);
  EXPECT_EQ(plan.id.text(), "hf/org/m@latest");
  EXPECT_EQ(plan.installed_commit, "");
  EXPECT_FALSE(plan.up_to_date);
  EXPECT_FALSE(std::filesystem::exists(folder() / "cache")) << "planning writes nothing";
}

TEST_F(PlanTest, TheGraphThatWasAskedForIsTakenAndChecked) {
  List("model.onnx", "graph");
  List("quantized.onnx", "another graph");
  EXPECT_EQ(Planned("quantized.onnx")->graph.path, "quantized.onnx");
  EXPECT_EQ(hub_.checked, "quantized.onnx");
  EXPECT_EQ(Planned("none.onnx").status().reason(), Reason::kRemoteNotFound);
}

TEST_F(PlanTest, IsRefusedAsTheHubRefusesTheGraph) {
  List("model.onnx", "graph");
  hub_.allowed = Status(Reason::kServerError, "gated");
  EXPECT_EQ(Planned().status().message(), "gated");
  hub_.remote.files.clear();
  hub_.checked = "";
  EXPECT_EQ(Planned().status().reason(), Reason::kUnsupportedModel);
  EXPECT_EQ(hub_.checked, "");
}

TEST_F(PlanTest, PartsAreNamedByTheKindOfDigest) {
  RemoteFile file = List("model.onnx", "graph");
  const std::string hex = mlos::package::DigestOf("graph").Hex();
  EXPECT_EQ(PartOf(store(), file).filename(), "sha256-" + hex + ".part");
  EXPECT_EQ(ObjectOf(file), mlos::package::DigestOf("graph"));
  file.content.kind = fetch::ExpectedContent::Kind::kGitBlobSha1;
  file.content.hex = std::string(40, 'a');
  EXPECT_EQ(PartOf(store(), file).filename(), "git-" + std::string(40, 'a') + ".part");
  EXPECT_EQ(ObjectOf(file), std::nullopt);
}

TEST_F(PlanTest, OnlyBytesThatAreNeitherStoredNorOnTheirWayAreMissing) {
  ListStored("a.onnx", "stored");
  const RemoteFile begun = List("b.onnx", "0123456789");
  EXPECT_EQ(MissingBytes(store(), hub_.remote.files), 10U);
  std::filesystem::create_directories(store().layout().downloads());
  std::ofstream(PartOf(store(), begun)) << "0123";
  EXPECT_EQ(MissingBytes(store(), hub_.remote.files), 6U);
  std::ofstream(PartOf(store(), begun)) << "more bytes than the file has";
  EXPECT_EQ(MissingBytes(store(), hub_.remote.files), 0U);
  EXPECT_EQ(MissingBytes(store(), {}), 0U);
}

}  // namespace
}  // namespace axon::install
