// SPDX-License-Identifier: MIT
#include "store/copies.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <random>
#include <thread>
#include <vector>

#include "package/onnx/test_model.h"
#include "package/test_folder.h"

namespace mlos::store {
namespace {

namespace fs = std::filesystem;
using package::onnx::test::ExternalTensor;
using package::onnx::test::IdentityGraph;
using package::onnx::test::ModelOf;

class CopiesTest : public package::FolderTest {
 protected:
  std::unique_ptr<Copies> Open(std::uint64_t bytes_max = 0) const {
    return Copies::Open(folder() / "served", [](const auto&) { return false; }, bytes_max).value();
  }
  /// A model of two files in a format that only its plugin knows.
  package::ModelFiles Model() const {
    Write("model/a.bin", "first");
    Write("model/deep/b.bin", "second");
    return package::FindModelFiles(folder() / "model", {.execution_format = "any"}).value();
  }
  static Result<package::FileDigest> Hash(const fs::path& directory, std::string_view relative) {
    return package::DigestBeneath(directory, relative);
  }
  Result<Copies::Copy> Take(Copies& copies, const package::ModelFiles& files) {
    return copies.Take(files, &OpenBeneath, &Hash,
                       [this](int, const package::FileDigest&) { ++copied_; });
  }
  std::string ReadOf(const Copies::Copy& copy, const std::string& file) const {
    return Read(fs::relative(copy.files.directory / file, folder()));
  }

  int copied_ = 0;
};

TEST_F(CopiesTest, WhoeverChangesTheOriginalsChangesNothingThatIsServed) {
  const auto copies = Open();
  const Copies::Copy copy = Take(*copies, Model()).value();
  Write("model/a.bin", "other");
  fs::resize_file(folder() / "model/deep/b.bin", 0);
  EXPECT_EQ(ReadOf(copy, "a.bin"), "first");
  EXPECT_EQ(ReadOf(copy, "deep/b.bin"), "second");
  EXPECT_EQ(fs::status(copy.files.directory / "a.bin").permissions(), fs::perms::owner_read);
}

TEST_F(CopiesTest, IsMadeOnceForEachDigest) {
  const auto copies = Open();
  const package::ModelFiles files = Model();
  const fs::path first = Take(*copies, files).value().files.directory;
  EXPECT_EQ(Take(*copies, files).value().files.directory, first);
  EXPECT_EQ(copied_, 2);
}

TEST_F(CopiesTest, AFileExchangedAfterItWasHashedIsRefused) {
  const auto copies = Open();
  const package::ModelFiles files = Model();
  Write("model/a.bin", "other");
  const Status refused = Take(*copies, files).status();
  EXPECT_EQ(refused.reason(), Reason::kChecksumMismatch);
  EXPECT_NE(refused.message().find("a.bin"), std::string_view::npos);
  EXPECT_TRUE(fs::is_empty(folder() / "served"));
}

TEST_F(CopiesTest, ADamagedCopyIsMadeAgain) {
  const auto copies = Open();
  const package::ModelFiles files = Model();
  const fs::path file = Take(*copies, files).value().files.directory / "a.bin";
  fs::permissions(file, fs::perms::owner_all);
  Write(fs::relative(file, folder()), "fir5t");
  EXPECT_EQ(ReadOf(Take(*copies, files).value(), "a.bin"), "first");
}

/// MLOS_FLIPS of them.
TEST_F(CopiesTest, EveryFlippedByteIsFoundAndHealed) {
  const char* const asked = std::getenv("MLOS_FLIPS");
  const int flips = asked == nullptr ? 100 : std::atoi(asked);
  const auto copies = Open();
  const package::ModelFiles files = Model();
  const fs::path folder_of_copy = Take(*copies, files).value().files.directory;
  std::mt19937 random(9);
  for (int i = 0; i < flips; ++i) {
    const package::FileEntry& file = files.files[random() % files.files.size()];
    const fs::path path = folder_of_copy / file.path;
    fs::permissions(path, fs::perms::owner_all);
    std::string bytes = Read(fs::relative(path, folder()));
    bytes[random() % bytes.size()] ^= static_cast<char>(1U << random() % 8);
    Write(fs::relative(path, folder()), bytes);
    copied_ = 0;
    ASSERT_TRUE(Take(*copies, files).ok());
    ASSERT_EQ(copied_, 2) << "flip " << i << " was not found";
  }
}

TEST_F(CopiesTest, TakesNoMoreOfTheDiskThanItMay) {
  const auto copies = Open(10);
  const package::ModelFiles files = Model();
  const Status refused = Take(*copies, files).status();
  EXPECT_EQ(refused.reason(), Reason::kDiskFull);
  EXPECT_NE(refused.message().find("model_copies_bytes_max"), std::string_view::npos);
  EXPECT_TRUE(Take(*Open(11), files).ok());
}

TEST_F(CopiesTest, IsKeptWhileItIsUsedOrPinned) {
  const auto copies = Open();
  const package::ModelFiles files = Model();
  Copies::Copy copy = Take(*copies, files).value();
  const auto sweep = [&](bool used) { copies->Sweep([used](const auto&) { return used; }); };
  sweep(false);
  EXPECT_TRUE(fs::exists(copy.files.directory));
  copies->Keep(files.digest.ToString());
  copy.pin.reset();
  sweep(true);
  EXPECT_TRUE(fs::exists(copy.files.directory));
  sweep(false);
  EXPECT_FALSE(fs::exists(copy.files.directory));
}

TEST_F(CopiesTest, TakersAtTheSameTimeEachHaveAWholeOne) {
  const auto copies = Open();
  const package::ModelFiles files = Model();
  std::atomic<int> copied = 0;
  std::vector<std::thread> takers;
  for (int i = 0; i < 8; ++i) {
    takers.emplace_back([&] {
      const auto copy = copies->Take(files, &OpenBeneath, &Hash,
                                     [&](int, const package::FileDigest&) { ++copied; });
      ASSERT_TRUE(copy.ok());
      EXPECT_EQ(ReadOf(*copy, "a.bin"), "first");
    });
  }
  for (std::thread& taker : takers) taker.join();
  EXPECT_EQ(copied, 2) << "those who come later wait for the first one";
}

TEST_F(CopiesTest, ModelsOfOneDigestShareACopyWhateverTheyAreCalled) {
  const auto copies = Open();
  const auto model = [this](const std::string& folder, const std::string& graph) {
    const std::string place = folder + "/" + graph;
    Write(place,
          ModelOf(IdentityGraph().Message(5, ExternalTensor("w", 1, {{"location", "deep/w.bin"}})))
              .bytes());
    Write(fs::path(place).parent_path() / "deep/w.bin", "1234");
    package::ModelFilesRequest request;
    request.execution_format = "onnx";
    request.graph = graph;
    return package::FindModelFiles(this->folder() / folder, request).value();
  };
  const Copies::Copy first = Take(*copies, model("a", "first.onnx")).value();
  for (const package::ModelFiles& files : {model("b", "second"), model("c", "below/third.onnx")}) {
    const Copies::Copy copy = Take(*copies, files).value();
    EXPECT_EQ(copy.files.EnginePath(), first.files.EnginePath());
    EXPECT_EQ(copy.files.files, first.files.files);
  }
  EXPECT_EQ(copied_, 2);
  EXPECT_EQ(ReadOf(first, "deep/w.bin"), "1234");
}

}  // namespace
}  // namespace mlos::store
