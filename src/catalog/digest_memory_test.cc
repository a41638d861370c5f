// SPDX-License-Identifier: MIT
#include "catalog/digest_memory.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/unique_fd.h"
#include "package/test_folder.h"

namespace mlos::catalog {
namespace {

using std::chrono::milliseconds;

// Longer than the kernel's clock for files stands still.
constexpr milliseconds kSettled{20};

class DigestMemoryTest : public package::FolderTest {
 protected:
  std::string path() const { return folder() / "w.bin"; }
  UniqueFd Open(int flags = O_RDONLY) const { return UniqueFd(::open(path().c_str(), flags)); }
  void Flip() const {
    const UniqueFd fd = Open(O_WRONLY);
    ASSERT_EQ(::pwrite(fd.get(), "!", 1, 100), 1);
  }

  /// A file that is hashed and remembered; nothing where this file system's times are not trusted.
  std::optional<package::FileDigest> Remember() { return Remember(memory_); }
  std::optional<package::FileDigest> Remember(DigestMemory& memory) const {
    Write("w.bin", std::string(5000, 'w'));
    std::this_thread::sleep_for(2 * kSettled);
    const UniqueFd fd = Open();
    EXPECT_TRUE(memory.Hash(fd.get(), "w.bin").ok());
    return memory.Recall(fd.get());
  }

  std::string log() const { return folder() / "digests"; }

  DigestMemory memory_{"", kSettled};
};

TEST_F(DigestMemoryTest, KnowsAFileThatNobodyChanged) {
  const auto known = Remember();
  if (!known) GTEST_SKIP() << "on this file system nothing is remembered";
  EXPECT_EQ(*known, package::DigestFile(path()).value());
  EXPECT_EQ(memory_.Recall(Open().get()), known) << "by another descriptor too";
}

TEST_F(DigestMemoryTest, KnowsNoFileThatWasTouched) {
  const std::map<std::string, std::function<void()>> changes = {
      {"written", [&] { Flip(); }},
      {"written, and the modification time set back",
       [&] {
         struct stat before{};
         ASSERT_EQ(::stat(path().c_str(), &before), 0);
         Flip();
         const timespec times[] = {before.st_atim, before.st_mtim};
         ASSERT_EQ(::utimensat(AT_FDCWD, path().c_str(), times, 0), 0);
         struct stat after{};
         ASSERT_EQ(::stat(path().c_str(), &after), 0);
         ASSERT_EQ(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
       }},
      {"stored to through a mapping",
       [&] {
         const UniqueFd fd = Open(O_RDWR);
         void* data = ::mmap(nullptr, 5000, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
         ASSERT_NE(data, MAP_FAILED);
         static_cast<char*>(data)[7] = '!';
         ::munmap(data, 5000);
       }},
      {"replaced by another of the same size",
       [&] {
         Write("other.bin", std::string(5000, 'o'));
         std::filesystem::rename(folder() / "other.bin", path());
       }},
      {"longer", [&] { std::filesystem::resize_file(path(), 5001); }},
  };
  for (const auto& [what, change] : changes) {
    if (!Remember()) GTEST_SKIP() << "on this file system nothing is remembered";
    change();
    EXPECT_EQ(memory_.Recall(Open().get()), std::nullopt) << what;
    const UniqueFd fd = Open();
    EXPECT_EQ(memory_.Hash(fd.get(), "w.bin").value(), package::DigestFile(path()).value()) << what;
  }
}

// A page that was stored to before the file was hashed may be stored to again without a fault.
TEST_F(DigestMemoryTest, SeesAStoreToAMappingThatIsOlderThanTheDigest) {
  Write("w.bin", std::string(5000, 'w'));
  const UniqueFd fd = Open(O_RDWR);
  void* data = ::mmap(nullptr, 5000, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  ASSERT_NE(data, MAP_FAILED);
  static_cast<volatile char*>(data)[7] = '1';
  std::this_thread::sleep_for(2 * kSettled);
  ASSERT_TRUE(memory_.Hash(fd.get(), "w.bin").ok());
  static_cast<volatile char*>(data)[7] = '2';
  EXPECT_EQ(memory_.Recall(fd.get()), std::nullopt);
  ::munmap(data, 5000);
}

TEST_F(DigestMemoryTest, RemembersNothingThatHasJustChanged) {
  DigestMemory careful;
  Write("w.bin", std::string(5000, 'w'));
  const UniqueFd fd = Open();
  ASSERT_TRUE(careful.Hash(fd.get(), "w.bin").ok());
  EXPECT_EQ(careful.Recall(fd.get()), std::nullopt);
}

TEST_F(DigestMemoryTest, OutlivesTheProcess) {
  DigestMemory first(log(), kSettled);
  const auto known = Remember(first);
  if (!known) GTEST_SKIP() << "on this file system nothing is remembered";
  EXPECT_EQ(DigestMemory(log(), kSettled).Recall(Open().get()), known);
  EXPECT_EQ(DigestMemory(log(), kSettled).Recall(Open().get()), known) << "and the one after it";
}

TEST_F(DigestMemoryTest, AChangeWhileNoProcessRanIsSeen) {
  {
    DigestMemory first(log(), kSettled);
    if (!Remember(first)) GTEST_SKIP() << "on this file system nothing is remembered";
  }
  Flip();
  EXPECT_EQ(DigestMemory(log(), kSettled).Recall(Open().get()), std::nullopt);
}

TEST_F(DigestMemoryTest, KeepsNoMoreThanItKnows) {
  {
    DigestMemory small(log(), kSettled, 2);
    if (!Remember(small)) GTEST_SKIP() << "on this file system nothing is remembered";
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(small.Hash(Open().get(), "w.bin").ok());
  }
  const std::string text = Read("digests");
  EXPECT_LE(std::count(text.begin(), text.end(), '\n'), 1 + 2 * 2);
  EXPECT_TRUE(DigestMemory(log(), kSettled, 2).Recall(Open().get()).has_value());
}

TEST_F(DigestMemoryTest, IsBounded) {
  DigestMemory small("", kSettled, 2);
  if (!Remember()) GTEST_SKIP() << "on this file system nothing is remembered";
  for (const char* name : {"a", "b", "c"}) Write(name, name);
  std::this_thread::sleep_for(2 * kSettled);
  std::vector<UniqueFd> files;
  for (const char* name : {"a", "b", "c"}) {
    files.emplace_back(::open((folder() / name).c_str(), O_RDONLY));
    ASSERT_TRUE(small.Hash(files.back().get(), name).ok());
  }
  EXPECT_EQ(small.Recall(files[0].get()), std::nullopt);
  EXPECT_TRUE(small.Recall(files[2].get()).has_value());
}

}  // namespace
}  // namespace mlos::catalog
