// SPDX-License-Identifier: MIT
#include "store/mapped_files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <fstream>
#include <string>

#include "base/unique_fd.h"

namespace mlos::store {
namespace {

namespace fs = std::filesystem;

class MappedFilesTest : public ::testing::Test {
 protected:
  static constexpr std::size_t kBytes = 65536;

  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "mlos_mapped_XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = fs::canonical(name);
    MappedFiles::HandleFaults();
  }
  void TearDown() override { fs::remove_all(folder_); }

  /// Maps a new file below the folder.
  const volatile char* Map(const std::string& name) const {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name) << std::string(kBytes, 'w');
    const UniqueFd fd(::open((folder_ / name).c_str(), O_RDONLY));
    void* const data = ::mmap(nullptr, kBytes, PROT_READ, MAP_PRIVATE, fd.get(), 0);
    EXPECT_NE(data, MAP_FAILED);
    return static_cast<const char*>(data);
  }

  fs::path folder_;
};

TEST_F(MappedFilesTest, WhatCannotBeReadIsZeroAndIsTold) {
  const volatile char* const data = Map("a/file");
  const volatile char* const other = Map("b/file");
  const MappedFiles files(folder_ / "a");
  const MappedFiles same(folder_ / "a");
  const MappedFiles others(folder_ / "b");
  EXPECT_EQ(data[kBytes - 1], 'w');
  EXPECT_FALSE(files.damaged());
  fs::resize_file(folder_ / "a/file", 4096);
  EXPECT_EQ(data[kBytes - 1], '\0');
  EXPECT_EQ(data[0], 'w');
  EXPECT_TRUE(files.damaged());
  EXPECT_TRUE(same.damaged());
  EXPECT_EQ(other[kBytes - 1], 'w');
  EXPECT_FALSE(others.damaged());
}

using MappedFilesDeathTest = MappedFilesTest;

TEST_F(MappedFilesDeathTest, AFaultElsewhereEndsTheProcess) {
  const volatile char* const data = Map("a/file");
  {
    const MappedFiles files(folder_ / "a");
  }
  fs::resize_file(folder_ / "a/file", 0);
  EXPECT_DEATH({ static_cast<void>(data[0]); }, "");
}

}  // namespace
}  // namespace mlos::store
