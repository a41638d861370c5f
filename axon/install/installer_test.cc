// SPDX-License-Identifier: MIT
#include "axon/install/installer.h"

#include <gmock/gmock.h>

#include <atomic>
#include <optional>
#include <thread>

#include "axon/fetch/partial_file.h"
#include "axon/install/test_repository.h"
#include "base/files.h"
#include "base/test_waiting.h"

namespace axon::install {
namespace {

namespace fs = std::filesystem;
namespace onnx = mlos::package::onnx;
using mlos::Reason;
using mlos::Result;
using mlos::package::Manifest;
using store::InstalledModel;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kWeights = "012345678901";  // three float32

std::string Identity() { return onnx::test::ModelOf(onnx::test::IdentityGraph()).bytes(); }

/// A graph whose weights lie in a file beside it.
std::string WithWeights(const std::string& location) {
  onnx::test::Proto graph = onnx::test::IdentityGraph();
  graph.Message(5, onnx::test::ExternalTensor("w", 3, {{"location", location}}));
  return onnx::test::ModelOf(graph).bytes();
}

class InstallerTest : public RepositoryTest {
 protected:
  Result<InstalledModel> Install() {
    const Plan plan = MLOS_TRY(Planned());
    const store::Store store = this->store();
    return Installer({store, console_, cancel_}, hub_, {.retries_max = 0}).Install(plan);
  }
  Result<Manifest> ManifestOf(const InstalledModel& model) const {
    auto parsed =
        MLOS_TRY(mlos::package::ReadManifest(model.directory / mlos::package::kManifestFileName));
    return std::move(parsed.manifest);
  }
  std::vector<std::string> FilesOf(const Manifest& manifest) const {
    std::vector<std::string> paths;
    for (const auto& file : manifest.format.files) paths.push_back(file.path);
    return paths;
  }
  /// Nothing was published, and nothing of the attempt is left.
  void ExpectNothingThere() const {
    EXPECT_THAT(store().List().value(), IsEmpty());
    EXPECT_TRUE(fs::is_empty(store().layout().staging()));
  }

  ui::Console console_{{.quiet = true}};
  fetch::CancelFlag cancel_;
};

TEST_F(InstallerTest, WhatTheStoreHasIsNotAskedFor) {
  ListStored("config.json", "{}");
  ListStored("onnx/model.onnx", Identity());
  const InstalledModel model = Install().value();
  EXPECT_EQ(model.id.text(), "hf/org/m@latest");
  EXPECT_EQ(mlos::ReadFile(model.directory / "onnx/model.onnx", 1 << 20).value(), Identity());
  EXPECT_THAT(hub_.asked, IsEmpty());
  const Manifest manifest = ManifestOf(model).value();
  EXPECT_THAT(FilesOf(manifest), ElementsAre("config.json", "onnx/model.onnx"));
  EXPECT_EQ(manifest.extension->source.commit, "c0ffee");
  EXPECT_TRUE(Planned()->up_to_date);
}

/// Counts how often it is asked where a file lies.
class CountingHub : public TestHub {
 public:
  Result<fetch::Url> FileUrl(const hub::RemoteModel& model,
                             const hub::RemoteFile& file) const override {
    ++attempts;
    return TestHub::FileUrl(model, file);
  }
  mutable std::atomic<int> attempts = 0;
};

TEST_F(InstallerTest, AFileThatAnotherProcessDownloadsIsWaitedFor) {
  const std::string bytes = Identity();
  List("onnx/model.onnx", bytes);
  const Plan plan = Planned().value();
  ASSERT_TRUE(store().Stage().ok());  // makes the folders
  const store::Store store = this->store();
  CountingHub hub;
  auto held = std::make_optional(
      fetch::PartialFile::Open(PartOf(store, plan.files.front()), bytes.size()).value());
  InstallContext context{store, console_, cancel_, false};
  EXPECT_EQ(Installer(context, hub, {.retries_max = 0}).Install(plan).status().reason(),
            Reason::kStateLocked);
  std::thread other([&] {
    EXPECT_TRUE(mlos::Eventually([&] { return hub.attempts > 2; }));
    EXPECT_TRUE(held->Append(bytes).ok());
    auto staging = store.Stage();
    EXPECT_TRUE(staging->AddFile(held->path(), mlos::package::DigestOf(bytes), "file", {}).ok());
    held.reset();
  });
  context.waits = true;
  const auto model = Installer(context, hub, {.retries_max = 0}).Install(plan);
  other.join();
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(mlos::ReadFile(model->directory / "onnx/model.onnx", 1 << 20).value(), bytes);
}

TEST_F(InstallerTest, WhatIsInstalledIsComparedWithTheHub) {
  ListStored("onnx/model.onnx", Identity());
  const InstalledModel model = Install().value();
  hub_.remote.commit = "beef";
  EXPECT_EQ(Planned()->installed_commit, "c0ffee");
  EXPECT_FALSE(Planned()->up_to_date);
  hub_.remote.commit = "c0ffee";
  ASSERT_TRUE(Planned()->up_to_date);
  hub_.remote.repository = "org/other";
  EXPECT_FALSE(Planned()->up_to_date);
  hub_.remote.repository = "org/m";
  fs::remove(model.directory / "onnx/model.onnx");
  EXPECT_EQ(Planned()->installed_commit, "c0ffee");
  EXPECT_FALSE(Planned()->up_to_date) << "a file of it is gone";
}

TEST_F(InstallerTest, WeightsAreThoseThatTheGraphNames) {
  ListStored("onnx/model.onnx", WithWeights("w.bin"));
  ListStored("onnx/model.onnx_data", "weights of another export");
  ListStored("onnx/w.bin", kWeights);
  const Result<InstalledModel> model = Install();
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_THAT(FilesOf(ManifestOf(*model).value()), ElementsAre("onnx/model.onnx", "onnx/w.bin"));
  EXPECT_FALSE(fs::exists(model->directory / "onnx/model.onnx_data"));
}

TEST_F(InstallerTest, WeightsThatTheRepositoryLacksRefuseTheModel) {
  ListStored("onnx/model.onnx", WithWeights("w.bin"));
  const auto refused = Install().status();
  EXPECT_EQ(refused.reason(), Reason::kInvalidModel);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("onnx/w.bin, which org/m does not hold"));
  ExpectNothingThere();
}

TEST_F(InstallerTest, WhatIsNoGraphIsNotPublished) {
  ListStored("onnx/model.onnx", "no graph at all");
  EXPECT_EQ(Install().status().reason(), Reason::kInvalidModel);
  ExpectNothingThere();
}

TEST_F(InstallerTest, AnInterruptionPublishesNothing) {
  ListStored("onnx/model.onnx", Identity());
  cancel_.Set();
  EXPECT_EQ(Install().status().reason(), Reason::kCancelled);
  ExpectNothingThere();
}

TEST_F(InstallerTest, ADownloadThatFailsPublishesNothing) {
  ListStored("config.json", "{}");
  List("onnx/model.onnx", Identity());
  EXPECT_EQ(Install().status().reason(), Reason::kNetwork);
  EXPECT_THAT(hub_.asked, ElementsAre("onnx/model.onnx"));
  ExpectNothingThere();
}

TEST_F(InstallerTest, ADamagedObjectIsAskedForAgain) {
  ListStored("onnx/model.onnx", Identity());
  const fs::path object = store().layout().Object(mlos::package::DigestOf(Identity()));
  fs::permissions(object, fs::perms::owner_write, fs::perm_options::add);
  std::string damaged = Identity();
  damaged[0] ^= 1;
  std::ofstream(object) << damaged;
  EXPECT_EQ(Install().status().reason(), Reason::kNetwork);
  EXPECT_THAT(hub_.asked, ElementsAre("onnx/model.onnx"));
  ExpectNothingThere();
}

TEST_F(InstallerTest, OneDigestWithTwoSizesIsRefusedBeforeAnythingIsAskedFor) {
  List("config.json", "{}");
  List("onnx/config.json", "{}");
  List("onnx/model.onnx", Identity());
  hub_.remote.files[1].content.size_bytes = 3;
  EXPECT_EQ(Install().status().reason(), Reason::kChecksumMismatch);
  EXPECT_THAT(hub_.asked, IsEmpty());
  ExpectNothingThere();
}

}  // namespace
}  // namespace axon::install
