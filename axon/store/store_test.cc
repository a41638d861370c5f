// SPDX-License-Identifier: MIT
#include "axon/store/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <vector>

#include "axon/store/install_lock.h"
#include "axon/store/usage.h"
#include "base/files.h"

namespace axon::store {
namespace {

namespace fs = std::filesystem;
using mlos::ModelId;
using mlos::Reason;
using mlos::package::Digest;
using mlos::package::DigestOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

ModelId Id(std::string_view text) { return ModelId::Parse(text).value(); }

class StoreTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "axon_store_XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    root_ = name;
  }
  void TearDown() override { fs::remove_all(root_); }

  Store store() const { return Store(root_ / "cache"); }

  /// Installs a model of one file the way a download does.
  mlos::Status Install(const std::string& id, const std::string& bytes) {
    Staging staging = MLOS_TRY(store().Stage());
    const fs::path part = store().layout().Part("sha256-" + DigestOf(bytes).Hex());
    std::ofstream(part) << bytes;
    MLOS_TRY(staging.AddFile(part, DigestOf(bytes), "onnx/model.onnx", {}));
    MLOS_TRY(staging.Write("manifest.yaml", "id: " + id));
    return staging.Publish(Id(id));
  }

  std::vector<std::string> Installed() const {
    std::vector<std::string> ids;
    const auto models = store().List();
    for (const InstalledModel& model : *models) ids.push_back(model.id.text());
    return ids;
  }

  std::string Content(const std::string& id) const {
    return mlos::ReadFile(store().layout().Model(Id(id)) / "onnx/model.onnx", 1 << 20).value();
  }

  fs::path root_;
};

nlink_t Links(const fs::path& path) {
  struct stat info{};
  return ::lstat(path.c_str(), &info) == 0 ? info.st_nlink : 0;
}

TEST_F(StoreTest, AModelIsInstalledByOneProcessAtATime) {
  const Layout layout{root_ / "cache"};
  const ModelId id = Id("hf/org/m@latest");
  const ModelId other = Id("hf/org/n@latest");
  {
    const auto held = InstallLock::TryAcquire(layout, id);
    ASSERT_TRUE(held.ok()) << held.status();
    const auto again = InstallLock::TryAcquire(layout, id);
    ASSERT_FALSE(again.ok());
    EXPECT_EQ(again.status().reason(), Reason::kStateLocked);
    EXPECT_EQ(again.status().message(), "another axon is installing hf/org/m@latest");
    EXPECT_TRUE(InstallLock::TryAcquire(layout, other).ok());
  }
  EXPECT_TRUE(InstallLock::TryAcquire(layout, id).ok());
}

TEST_F(StoreTest, LookingCreatesNothing) {
  EXPECT_THAT(Installed(), IsEmpty());
  EXPECT_EQ(store().Find(Id("hf/a@v")).status().reason(), Reason::kModelNotFound);
  EXPECT_TRUE(Clean(store().layout(), false).ok());
  EXPECT_TRUE(store().FreeBytes().ok());
  EXPECT_TRUE(fs::is_empty(root_));
}

TEST_F(StoreTest, EqualFilesAreKeptOnce) {
  ASSERT_TRUE(Install("hf/org/a@latest", "weights").ok());
  ASSERT_TRUE(Install("hf/org/b@latest", "weights").ok());
  EXPECT_THAT(Installed(), ElementsAre("hf/org/a@latest", "hf/org/b@latest"));
  const fs::path object = store().layout().Object(DigestOf("weights"));
  EXPECT_EQ(Links(object), 3u);
  EXPECT_EQ(fs::status(object).permissions(), fs::perms(0444));
  EXPECT_TRUE(fs::is_empty(store().layout().downloads()));
  const Usage usage = MeasureUsage(store().layout()).value();
  EXPECT_EQ(usage.models, 2u);
  EXPECT_EQ(usage.objects, 1u);
  EXPECT_EQ(usage.object_bytes, 7u);
  EXPECT_EQ(usage.unused_objects, 0u);
}

TEST_F(StoreTest, AModelIsReplacedInOneStep) {
  ASSERT_TRUE(Install("hf/org/a@latest", "old").ok());
  ASSERT_TRUE(Install("hf/org/a@latest", "new").ok());
  EXPECT_EQ(Content("hf/org/a@latest"), "new");
  EXPECT_TRUE(fs::is_empty(store().layout().staging()));
}

TEST_F(StoreTest, ANewModelMustNotLieInsideAnother) {
  ASSERT_TRUE(Install("hf/a@b", "outer").ok());
  EXPECT_EQ(Install("hf/a/b@v", "inner").reason(), Reason::kConflict);
  ASSERT_TRUE(Install("hf/x/y@v", "inner").ok());
  EXPECT_EQ(Install("hf/x@y", "outer").reason(), Reason::kConflict);
  EXPECT_THAT(Installed(), ElementsAre("hf/a@b", "hf/x/y@v"));
  EXPECT_EQ(Content("hf/x/y@v"), "inner");
}

TEST_F(StoreTest, WhatAnAbandonedStagingHeldIsSweptByTheNext) {
  fs::create_directories(store().layout().staging() / "dead/model");
  std::ofstream(store().layout().staging() / "dead/model/x") << "half";
  const Staging living = store().Stage().value();
  const Staging other = store().Stage().value();
  EXPECT_FALSE(fs::exists(store().layout().staging() / "dead"));
  EXPECT_TRUE(fs::exists(living.model()));
}

TEST_F(StoreTest, AFolderWithoutManifestIsNoModel) {
  fs::create_directories(store().layout().models() / "hf/half/latest");
  std::ofstream(store().layout().models() / "hf/half/latest/model.onnx") << "x";
  EXPECT_THAT(Installed(), IsEmpty());
  ASSERT_TRUE(Install("hf/half@latest", "whole").ok());
  EXPECT_EQ(Content("hf/half@latest"), "whole");
}

TEST_F(StoreTest, RemovingLeavesNoEmptyFoldersAndCleaningNoObjects) {
  ASSERT_TRUE(Install("hf/org/a@v1", "one").ok());
  ASSERT_TRUE(Install("hf/org/a@v2", "two").ok());
  ASSERT_TRUE(store().Remove(store().Find(Id("hf/org/a@v1")).value()).ok());
  EXPECT_THAT(Installed(), ElementsAre("hf/org/a@v2"));
  EXPECT_THAT(std::string(store().Find(Id("hf/org/a@v1")).status().message()),
              HasSubstr("installed of it: hf/org/a@v2"));
  ASSERT_TRUE(store().Remove(store().Find(Id("hf/org/a@v2")).value()).ok());
  EXPECT_TRUE(fs::is_empty(store().layout().models()));

  const CleanReport dry = Clean(store().layout(), true).value();
  EXPECT_EQ(dry.removed.size(), 2u);
  EXPECT_TRUE(fs::exists(store().layout().Object(DigestOf("one"))));
  const CleanReport report = Clean(store().layout(), false).value();
  EXPECT_EQ(report.removed_bytes, 6u);
  EXPECT_THAT(report.problems, IsEmpty());
  EXPECT_FALSE(fs::exists(store().layout().Object(DigestOf("one"))));
}

TEST_F(StoreTest, CleaningKeepsWhatIsInUse) {
  ASSERT_TRUE(Install("hf/org/a@v", "used").ok());
  const Staging living = store().Stage().value();
  std::ofstream(store().layout().Part("sha256-x")) << "half";
  const CleanReport report = Clean(store().layout(), false).value();
  ASSERT_EQ(report.removed.size(), 1u);
  EXPECT_EQ(report.removed[0].kind, Leftover::Kind::kPartialDownload);
  EXPECT_TRUE(fs::exists(living.model()));
  EXPECT_EQ(Content("hf/org/a@v"), "used");
}

/// What a disk, or a user, makes of an object.
struct Damage {
  const char* name;
  std::function<void(const fs::path&)> inflict;
};

void Overwrite(const fs::path& object, const std::string& bytes) {
  fs::permissions(object, fs::perms(0644));
  std::ofstream(object) << bytes;
}

const std::vector<Damage>& Damages() {
  static const std::vector<Damage> damages = {
      {"flipped", [](const fs::path& object) { Overwrite(object, "Weights"); }},
      {"truncated", [](const fs::path& object) { Overwrite(object, "weigh"); }},
      {"empty", [](const fs::path& object) { Overwrite(object, ""); }},
      {"longer", [](const fs::path& object) { Overwrite(object, "weights\n"); }},
      {"no file",
       [](const fs::path& object) {
         fs::remove(object);
         fs::create_symlink("/dev/null", object);
       }},
  };
  return damages;
}

TEST_F(StoreTest, AnObjectThatIsDamagedIsNotLinked) {
  const Digest digest = DigestOf("weights");
  const fs::path object = store().layout().Object(digest);
  for (const Damage& damage : Damages()) {
    ASSERT_TRUE(Install("hf/org/a@v", "weights").ok());
    EXPECT_TRUE(store().objects().LinkTo(digest, root_ / "good", {}).ok());
    damage.inflict(object);
    const mlos::Status linked = store().objects().LinkTo(digest, root_ / "bad", {});
    EXPECT_EQ(linked.reason(), Reason::kStoreCorrupt) << damage.name;
    EXPECT_FALSE(fs::exists(fs::symlink_status(root_ / "bad"))) << damage.name;
    fs::remove(root_ / "good");
  }
  fs::remove(object);
  EXPECT_EQ(store().objects().LinkTo(digest, root_ / "none", {}).reason(), Reason::kFileNotFound);
}

TEST_F(StoreTest, VerifiedBytesTakeTheDamagedObjectsPlace) {
  const fs::path object = store().layout().Object(DigestOf("weights"));
  for (const Damage& damage : Damages()) {
    ASSERT_TRUE(Install("hf/org/shares@v", "weights").ok());
    damage.inflict(object);
    ASSERT_TRUE(Install("hf/org/a@v", "weights").ok()) << damage.name;
    EXPECT_EQ(Content("hf/org/a@v"), "weights") << damage.name;
    EXPECT_EQ(Links(object), 2u) << damage.name;
    EXPECT_EQ(fs::status(object).permissions(), fs::perms(0444)) << damage.name;
  }
}

TEST_F(StoreTest, AModelThatSharesADamagedObjectKeepsItUntilItIsInstalledAgain) {
  ASSERT_TRUE(Install("hf/org/shares@v", "weights").ok());
  Overwrite(store().layout().Object(DigestOf("weights")), "Weights");
  ASSERT_TRUE(Install("hf/org/a@v", "weights").ok());
  EXPECT_EQ(Content("hf/org/shares@v"), "Weights");
  ASSERT_TRUE(Install("hf/org/shares@v", "weights").ok());
  EXPECT_EQ(Content("hf/org/shares@v"), "weights");
  EXPECT_EQ(Links(store().layout().Object(DigestOf("weights"))), 3u);
}

TEST_F(StoreTest, AnInterruptionWhileReadingAnObjectChangesNothing) {
  const Digest digest = DigestOf("weights");
  ASSERT_TRUE(Install("hf/org/a@v", "weights").ok());
  std::ofstream(root_ / "file") << "weights";
  const auto stop = [](std::uint64_t) { return false; };
  const Store kept = store();
  const Objects& objects = kept.objects();
  EXPECT_EQ(objects.Adopt(root_ / "file", digest, root_ / "to", stop).reason(), Reason::kCancelled);
  EXPECT_TRUE(fs::exists(root_ / "file"));
  EXPECT_FALSE(fs::exists(root_ / "to"));
  EXPECT_EQ(Links(store().layout().Object(digest)), 2u);
}

}  // namespace
}  // namespace axon::store
