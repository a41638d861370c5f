// SPDX-License-Identifier: MIT
#include "base/files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <functional>

#include "process/test_seccomp.h"

namespace mlos {
namespace {

namespace fs = std::filesystem;

class FilesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "mlos_files_XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path folder_;
};

TEST_F(FilesTest, AtomicWriteReplacesAndLeavesNothingBeside) {
  ASSERT_TRUE(WriteFileAtomic(folder_ / "a", "old").ok());
  ASSERT_TRUE(WriteFileAtomic(folder_ / "a", "new").ok());
  EXPECT_EQ(*ReadFile(folder_ / "a", 100), "new");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1);
}

TEST_F(FilesTest, FailedAtomicWriteKeepsTheOldBytes) {
  ASSERT_TRUE(WriteFileAtomic(folder_ / "a", "old").ok());
  fs::create_directory(folder_ / "b");
  EXPECT_FALSE(WriteFileAtomic(folder_ / "b", "new").ok());
  EXPECT_FALSE(WriteFileAtomic(folder_ / "a" / "c", "new").ok());
  EXPECT_EQ(*ReadFile(folder_ / "a", 100), "old");
}

// onnx wrote its weights through links (CVE-2025-51480): whoever guesses a name must gain nothing.
TEST_F(FilesTest, AnAtomicWriteGoesThroughNoLinkLaidInItsWay) {
  const fs::path target = folder_ / "a";
  const fs::path temporary = target.string() + ".tmp." + std::to_string(::getpid());
  const auto symbolic = [](const fs::path& to, const fs::path& at) { fs::create_symlink(to, at); };
  const auto hard = [](const fs::path& to, const fs::path& at) { fs::create_hard_link(to, at); };
  const auto pipe = [](const fs::path&, const fs::path& at) { ::mkfifo(at.c_str(), 0600); };
  const std::function<void(const fs::path&, const fs::path&)> traps[] = {symbolic, hard, pipe};
  for (const fs::path& at : {target, temporary}) {
    for (const auto& lay : traps) {
      ASSERT_TRUE(WriteFileAtomic(folder_ / "victim", "untouched").ok());
      lay(folder_ / "victim", at);
      EXPECT_TRUE(WriteFileAtomic(target, "new").ok()) << at.filename();
      EXPECT_EQ(*ReadFile(folder_ / "victim", 100), "untouched") << at.filename();
      EXPECT_TRUE(fs::is_regular_file(fs::symlink_status(target))) << at.filename();
      EXPECT_EQ(*ReadFile(target, 100), "new");
      fs::remove(target);
    }
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1);
}

TEST_F(FilesTest, ReadRefusesWhatIsTooLargeMissingOrNoFile) {
  ASSERT_TRUE(WriteFileAtomic(folder_ / "a", "12345").ok());
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(ReadFile(folder_ / "a", 4).status().reason(), Reason::kPayloadTooLarge);
  EXPECT_EQ(ReadFile(folder_ / "none", 4).status().reason(), Reason::kFileNotFound);
  EXPECT_EQ(ReadFile(folder_, 4).status().reason(), Reason::kInvalidField);
  EXPECT_EQ(ReadFile(folder_ / "pipe", 4).status().reason(), Reason::kInvalidField);
}

TEST_F(FilesTest, MessagesNameTheFileButNotTheFolder) {
  const Status status = ReadFile(folder_ / "none", 4).status();
  EXPECT_NE(status.message().find("none"), std::string_view::npos);
  EXPECT_EQ(status.message().find(folder_.string()), std::string_view::npos);
}

/// `openat2` answers with this error; 0: it works.
class OpenBeneathTest : public FilesTest, public testing::WithParamInterface<int> {
 protected:
  void SetUp() override {
    FilesTest::SetUp();
    fs::create_directories(folder_ / "root" / "sub" / "deep");
    ASSERT_TRUE(WriteFileAtomic(folder_ / "secret", "s").ok());
    ASSERT_TRUE(WriteFileAtomic(folder_ / "root" / "sub" / "a", "a").ok());
    ASSERT_TRUE(WriteFileAtomic(folder_ / "root" / "sub" / "deep" / "b", "b").ok());
    fs::create_symlink(folder_ / "secret", folder_ / "root" / "link");
    fs::create_symlink("sub/a", folder_ / "root" / "inside");
    fs::create_symlink(folder_, folder_ / "root" / "up");
  }
  void Check() {
    for (const char* name : {"sub/a", "sub/deep/b"}) {
      EXPECT_TRUE(OpenBeneath(folder_ / "root", name).ok()) << name;
    }
    for (const char* name :
         {"link", "inside", "up/secret", "../secret", "/etc/passwd", "sub/../../secret"}) {
      EXPECT_EQ(OpenBeneath(folder_ / "root", name).status().reason(), Reason::kUnsafePath) << name;
    }
    for (const char* name : {"none", "none/a", "sub/none", "sub/a/none"}) {
      EXPECT_EQ(OpenBeneath(folder_ / "root", name).status().reason(), Reason::kFileNotFound)
          << name;
    }
  }
};

TEST_P(OpenBeneathTest, StaysBeneath) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (GetParam() != 0) test::RefuseCall(SYS_openat2, GetParam());
    Check();
    _exit(HasFailure() ? 1 : 0);
  }
  int end = -1;
  ASSERT_EQ(waitpid(child, &end, 0), child);
  EXPECT_EQ(end, 0);
}

INSTANTIATE_TEST_SUITE_P(Kernels, OpenBeneathTest, testing::Values(0, ENOSYS, EPERM));

TEST_F(FilesTest, TheHomeFolderIsNeverMadeOfNothing) {
  const char* const before = std::getenv("HOME");
  const std::string home = before == nullptr ? "" : before;
  ::setenv("HOME", folder_.c_str(), 1);
  EXPECT_EQ(HomeFolder(), folder_);
  const fs::path listed = getpwuid(geteuid())->pw_dir;
  for (const char* bad : {"", "here", "./home"}) {
    ::setenv("HOME", bad, 1);
    EXPECT_EQ(HomeFolder(), listed) << bad;
  }
  ::unsetenv("HOME");
  EXPECT_EQ(HomeFolder(), listed);
  if (before != nullptr) ::setenv("HOME", home.c_str(), 1);
}

TEST_F(FilesTest, AFolderThatOthersMayWriteIsNotOwn) {
  fs::permissions(folder_, fs::perms(0750));
  EXPECT_TRUE(CheckOwnFolder(folder_).ok());
  for (const unsigned mode : {0770U, 0707U, 0777U}) {
    fs::permissions(folder_, fs::perms(mode));
    EXPECT_EQ(CheckOwnFolder(folder_).reason(), Reason::kPermissionDenied) << mode;
  }
  fs::permissions(folder_, fs::perms(0700));
  if (geteuid() != 0) return;
  ASSERT_EQ(chown(folder_.c_str(), 65534, 65534), 0);
  EXPECT_EQ(CheckOwnFolder(folder_).reason(), Reason::kPermissionDenied);
}

TEST_F(FilesTest, LockIsExclusiveUntilReleased) {
  {
    const auto held = FileLock::TryAcquire(folder_ / "lock");
    ASSERT_TRUE(held.ok());
    EXPECT_EQ(FileLock::TryAcquire(folder_ / "lock").status().reason(), Reason::kStateLocked);
  }
  EXPECT_TRUE(FileLock::TryAcquire(folder_ / "lock").ok());
}

TEST(SafeRelativePath, AcceptsPlainPathsOnly) {
  for (const char* path : {"a", "onnx/model.onnx", "a.b/c-d", "...", "a b"}) {
    EXPECT_TRUE(IsSafeRelativePath(path)) << path;
  }
  for (const std::string_view path :
       {std::string_view(""), std::string_view("/a"), std::string_view("a/"),
        std::string_view("a//b"), std::string_view("."), std::string_view("a/../b"),
        std::string_view("..\\a"), std::string_view("a\nb"), std::string_view("a\0b", 3)}) {
    EXPECT_FALSE(IsSafeRelativePath(path)) << path;
  }
  EXPECT_FALSE(IsSafeRelativePath(std::string(1025, 'a')));
}

}  // namespace
}  // namespace mlos
