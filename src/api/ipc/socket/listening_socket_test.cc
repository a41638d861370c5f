// SPDX-License-Identifier: MIT
#include "api/ipc/socket/listening_socket.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace mlos::api::ipc::socket {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kMode = 0600;
constexpr unsigned kStranger = 65534;

class ListeningSocketTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "mlos_socket_XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    path_ = name + "/core.sock";
  }
  void TearDown() override { fs::remove_all(folder_); }

  /// A socket at the path, bound and no more, as a process of this user leaves it that is killed.
  UniqueFd Bind() {
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof(address.sun_path) - 1);
    EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    return fd;
  }
  Reason Refusal() {
    const Result<ListeningSocket> socket = ListeningSocket::Open(path_, kMode);
    EXPECT_FALSE(socket.ok());
    return socket.status().reason();
  }
  void GiveAway(const std::string& path) {
    ASSERT_EQ(::lchown(path.c_str(), kStranger, kStranger), 0);
  }

  fs::path folder_;
  std::string path_;
};

TEST_F(ListeningSocketTest, LeavesNothingBehind) {
  {
    const Result<ListeningSocket> socket = ListeningSocket::Open(path_, 0640);
    ASSERT_TRUE(socket.ok()) << socket.status().message();
    struct stat file{};
    ASSERT_EQ(::lstat(path_.c_str(), &file), 0);
    EXPECT_EQ(file.st_mode & 07777, 0640U);
  }
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(ListeningSocketTest, ReplacesWhatADeadCoreHasLeft) {
  Bind().Reset();
  std::ofstream(path_ + ".lock").close();
  EXPECT_TRUE(ListeningSocket::Open(path_, kMode).ok());
}

TEST_F(ListeningSocketTest, ALiveCoreKeepsItsSocket) {
  {
    const Result<ListeningSocket> first = ListeningSocket::Open(path_, kMode);
    ASSERT_TRUE(first.ok());
    EXPECT_EQ(Refusal(), Reason::kAddressInUse);
    // Its lock says so even if the socket is gone.
    fs::remove(path_);
    EXPECT_EQ(Refusal(), Reason::kAddressInUse);
  }
  const UniqueFd other = Bind();
  ASSERT_EQ(::listen(other.get(), 1), 0);
  EXPECT_EQ(Refusal(), Reason::kAddressInUse) << "of a program that knows no lock";
  EXPECT_TRUE(fs::exists(path_));
}

TEST_F(ListeningSocketTest, NobodyHoldsItUpByLockingTheFolder) {
  const UniqueFd folder(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY));
  ASSERT_EQ(::flock(folder.get(), LOCK_EX), 0);
  EXPECT_TRUE(ListeningSocket::Open(path_, kMode).ok());
}

TEST_F(ListeningSocketTest, WhatIsNoSocketStays) {
  std::ofstream(path_) << "precious";
  EXPECT_EQ(Refusal(), Reason::kInvalidConfig);
  fs::remove(path_);
  fs::create_directory(path_);
  EXPECT_EQ(Refusal(), Reason::kInvalidConfig);
  fs::remove(path_);
  fs::create_symlink(folder_ / "elsewhere", path_);
  EXPECT_EQ(Refusal(), Reason::kInvalidConfig);
  EXPECT_TRUE(fs::is_symlink(path_));
  EXPECT_FALSE(fs::exists(folder_ / "elsewhere"));
}

TEST_F(ListeningSocketTest, WhatIsAnotherUsersStays) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root gives files away";
  Bind().Reset();
  GiveAway(path_);
  EXPECT_EQ(Refusal(), Reason::kInvalidConfig);
  EXPECT_TRUE(fs::exists(path_));
  fs::remove(path_);

  const std::string lock = path_ + ".lock";
  std::ofstream(lock).close();
  GiveAway(lock);
  EXPECT_EQ(Refusal(), Reason::kInvalidConfig);
  EXPECT_TRUE(fs::exists(lock));
  fs::remove(lock);
  ASSERT_EQ(::mkfifo(lock.c_str(), 0666), 0);
  EXPECT_EQ(Refusal(), Reason::kInvalidConfig) << "a pipe is not waited for";
}

}  // namespace
}  // namespace mlos::api::ipc::socket
