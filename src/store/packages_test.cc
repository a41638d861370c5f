// SPDX-License-Identifier: MIT
#include "store/packages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "package/archive.h"
#include "package/test_folder.h"

namespace mlos::store {
namespace {

namespace fs = std::filesystem;

class PackagesTest : public package::FolderTest {
 protected:
  fs::path store() const { return folder() / "packages"; }
  std::unique_ptr<Packages> Open(const std::set<fs::path>& used = {}) const {
    return Packages::Open(store(), used).value();
  }
  /// An archive with one file of these bytes.
  fs::path MakeArchive(const std::string& name, const std::string& bytes) const {
    Write(name + "/model.onnx", bytes);
    package::Manifest manifest;
    manifest.metadata = {.name = name, .name_space = "hf", .version = "1"};
    manifest.format.files = {{"model.onnx", bytes.size(), package::DigestOf(bytes)}};
    fs::path archive = folder() / (name + ".axon");
    EXPECT_TRUE(
        package::WriteArchive(folder() / name, manifest, archive, package::Compression::kNone)
            .ok());
    return archive;
  }
  std::size_t CountStored() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(store()), fs::directory_iterator()));
  }
};

TEST_F(PackagesTest, UnpacksOnceAndReusesAfterwards) {
  const auto packages = Open();
  const fs::path archive = MakeArchive("a", "weights");
  const Packages::Package first = packages->Unpack(archive).value();
  EXPECT_FALSE(first.reused);
  EXPECT_TRUE(packages->Owns(first.folder));
  EXPECT_EQ(Read(fs::relative(first.folder / "model.onnx", folder())), "weights");
  const Packages::Package second = packages->Unpack(archive).value();
  EXPECT_TRUE(second.reused);
  EXPECT_EQ(second.folder, first.folder);
  EXPECT_EQ(CountStored(), 1U);
}

TEST_F(PackagesTest, UnpackingAnewRepairsWhatWasDamaged) {
  const auto packages = Open();
  const fs::path archive = MakeArchive("a", "weights");
  const fs::path file = packages->Unpack(archive).value().folder / "model.onnx";
  Write(fs::relative(file, folder()), "flipped");
  EXPECT_FALSE(packages->Unpack(archive, true).value().reused);
  EXPECT_EQ(Read(fs::relative(file, folder())), "weights");
  EXPECT_EQ(CountStored(), 1U);
}

TEST_F(PackagesTest, ABrokenArchiveLeavesNothingBehind) {
  const auto packages = Open();
  Write("broken.axon", std::string(4096, 'x'));
  EXPECT_EQ(packages->Unpack(folder() / "broken.axon").status().reason(), Reason::kInvalidPackage);
  EXPECT_EQ(CountStored(), 0U);
}

TEST_F(PackagesTest, RemovesOnlyWhatNobodyPins) {
  const auto packages = Open();
  Packages::Package package = packages->Unpack(MakeArchive("a", "weights")).value();
  packages->Remove(package.folder);
  EXPECT_TRUE(fs::exists(package.folder));
  package.pin.reset();
  packages->Remove(package.folder);
  EXPECT_FALSE(fs::exists(package.folder));
  EXPECT_EQ(CountStored(), 0U);
}

TEST_F(PackagesTest, RemovesNothingThatIsNotItsOwn) {
  const auto packages = Open();
  Write("models/model.onnx", "theirs");
  packages->Remove(folder() / "models");
  EXPECT_EQ(Read("models/model.onnx"), "theirs");
}

TEST_F(PackagesTest, OpeningSweepsWhatWasLeftHalfDoneOrIsUnused) {
  const fs::path kept = Open()->Unpack(MakeArchive("kept", "1")).value().folder;
  const fs::path unused = Open({kept})->Unpack(MakeArchive("unused", "2")).value().folder;
  Write("packages/.staging-7/model.onnx", "half");
  const auto packages = Open({kept});
  EXPECT_TRUE(fs::exists(kept));
  EXPECT_FALSE(fs::exists(unused));
  EXPECT_EQ(CountStored(), 1U);
}

TEST_F(PackagesTest, ThreadsThatUnpackTheSameArchiveAgree) {
  const auto packages = Open();
  const fs::path archive = MakeArchive("a", "weights");
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      const Result<Packages::Package> package = packages->Unpack(archive);
      ASSERT_TRUE(package.ok()) << package.status();
      EXPECT_TRUE(fs::exists(package->folder / "model.onnx"));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(CountStored(), 1U);
}

}  // namespace
}  // namespace mlos::store
