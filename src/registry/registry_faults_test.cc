// SPDX-License-Identifier: MIT
// What the registry promises when the process is killed or the disk fails.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <random>
#include <string>

#include "package/test_folder.h"
#include "registry/registry.h"

namespace mlos::registry {
namespace {

using State = std::map<std::string, std::string>;  // model id → digest

ModelRecord FaultModel(const std::string& id, const std::string& digest) {
  ModelRecord model;
  model.model_id = id;
  model.digest = digest;
  return model;
}

/// One change out of an endless sequence that a seed determines.
struct Change {
  std::string id;
  std::string digest;  // empty: remove

  static Change Next(std::mt19937& random) {
    Change change{"model-" + std::to_string(random() % 8), ""};
    if (random() % 3 != 0) change.digest = "sha256:" + std::to_string(random());
    return change;
  }
  void ApplyTo(State& state) const {
    if (digest.empty()) {
      state.erase(id);
    } else {
      state[id] = digest;
    }
  }
  Status ApplyTo(Registry& registry) const {
    if (!digest.empty()) return registry.PutModel(FaultModel(id, digest));
    Status removed = registry.RemoveModel(id);
    if (!removed.ok() && removed.reason() == Reason::kModelNotFound) return OkStatus();
    return removed;
  }
};

State StateOf(Registry& registry) {
  State state;
  for (const ModelRecord& model : registry.Models().value()) state[model.model_id] = model.digest;
  return state;
}

class RegistryFaultsTest : public package::FolderTest {
 protected:
  std::filesystem::path file() const { return folder() / "registry.db"; }
};

/// Changes the registry until it is killed, and writes one byte for each change acknowledged.
[[noreturn]] void ChangeForever(const std::filesystem::path& file, unsigned seed, int acks) {
  auto registry = Registry::Open(file);
  if (!registry.ok()) _exit(1);
  std::mt19937 random(seed);
  while (Change::Next(random).ApplyTo(**registry).ok()) {
    if (write(acks, "+", 1) != 1) break;
  }
  _exit(1);
}

enum class From { kStart, kFirstChange };

/// Starts ChangeForever, kills it `delay_us` after its start or after its first change, and returns
/// how many changes it acknowledged.
std::size_t RunAndKill(const std::filesystem::path& file, unsigned seed, From from,
                       unsigned delay_us) {
  int pipe_ends[2];
  EXPECT_EQ(pipe(pipe_ends), 0);
  const pid_t child = fork();
  if (child == 0) ChangeForever(file, seed, pipe_ends[1]);
  close(pipe_ends[1]);
  char buffer[4096];
  std::size_t acknowledged = 0;
  if (from == From::kFirstChange && read(pipe_ends[0], buffer, 1) == 1) acknowledged = 1;
  usleep(delay_us);
  kill(child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status)) << "the child failed by itself";
  for (ssize_t count = 0; (count = read(pipe_ends[0], buffer, sizeof buffer)) > 0;) {
    acknowledged += static_cast<std::size_t>(count);
  }
  close(pipe_ends[0]);
  return acknowledged;
}

// The model of a test that can run for as long as one likes: MLOS_KILL_ROUNDS of it.
TEST_F(RegistryFaultsTest, NothingAcknowledgedIsLostWhenKilledAtAnyMoment) {
  const char* asked = std::getenv("MLOS_KILL_ROUNDS");
  const int rounds = asked == nullptr ? 25 : std::atoi(asked);
  std::mt19937 random(20'260'101);
  State state;
  std::size_t total = 0;
  for (int round = 0; round < rounds; ++round) {
    const unsigned seed = random();
    // On a busy machine a child may need longer than any delay to open the registry.
    const From from = round % 2 == 0 ? From::kFirstChange : From::kStart;
    const std::size_t acknowledged = RunAndKill(file(), seed, from, random() % 40'000);
    std::mt19937 changes(seed);
    for (std::size_t i = 0; i < acknowledged; ++i) Change::Next(changes).ApplyTo(state);
    State with_one_more = state;
    Change::Next(changes).ApplyTo(with_one_more);
    auto registry = Registry::Open(file());
    ASSERT_TRUE(registry.ok()) << registry.status();
    const State found = StateOf(**registry);
    ASSERT_TRUE(found == state || found == with_one_more) << "round " << round;
    state = found;
    total += acknowledged;
  }
  EXPECT_GT(total, 0U) << "killed before anything happened";
}

/// SQLite's own file access, of which the n-th write or sync from Arm on fails.
class FailingDisk {
 public:
  enum class Call { kWrite, kSync };

  FailingDisk() {
    real_vfs = sqlite3_vfs_find(nullptr);
    vfs_ = *real_vfs;
    vfs_.zName = "failing";
    vfs_.xOpen = &Open;
    sqlite3_vfs_register(&vfs_, 1);
  }
  ~FailingDisk() {
    sqlite3_vfs_unregister(&vfs_);
    sqlite3_vfs_register(real_vfs, 1);
  }

  /// Every call of that kind from the `nth` on fails with `code`.
  static void Arm(Call call, int nth, int code) {
    failing_call = call;
    calls_left = nth;
    failure = code;
  }
  static void Disarm() { calls_left = -1; }
  static bool Fired() { return calls_left == 0; }

 private:
  static int Open(sqlite3_vfs* /*vfs*/, const char* name, sqlite3_file* file, int flags,
                  int* out_flags) {
    const int code = real_vfs->xOpen(real_vfs, name, file, flags, out_flags);
    if (file->pMethods == nullptr) return code;
    // A database and its log have different methods, which write and sync alike.
    sqlite3_io_methods& methods = failing_methods[file->pMethods];
    methods = *file->pMethods;
    real_methods = file->pMethods;
    methods.xWrite = &Write;
    methods.xSync = &Sync;
    file->pMethods = &methods;
    return code;
  }
  static int Write(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
    return Fails(Call::kWrite) ? failure : real_methods->xWrite(file, data, size, offset);
  }
  static int Sync(sqlite3_file* file, int flags) {
    return Fails(Call::kSync) ? failure : real_methods->xSync(file, flags);
  }
  static bool Fails(Call call) {
    if (call != failing_call || calls_left < 0) return false;
    if (calls_left > 0) --calls_left;
    return calls_left == 0;
  }

  static inline sqlite3_vfs* real_vfs = nullptr;
  static inline const sqlite3_io_methods* real_methods = nullptr;
  static inline std::map<const sqlite3_io_methods*, sqlite3_io_methods> failing_methods;
  static inline Call failing_call = Call::kWrite;
  static inline int calls_left = -1;  // calls until the first failure; 0: failing; -1: not armed
  static inline int failure = SQLITE_OK;
  sqlite3_vfs vfs_{};
};

TEST_F(RegistryFaultsTest, AFullDiskLeavesTheOldStateAtEveryWrite) {
  const FailingDisk disk;
  auto registry = Registry::Open(file()).value();
  ASSERT_TRUE(registry->PutModel(FaultModel("old", "sha256:01")).ok());
  const State before = StateOf(*registry);
  int nth = 1;
  for (; nth < 100; ++nth) {
    FailingDisk::Arm(FailingDisk::Call::kWrite, nth, SQLITE_FULL);
    const Status put = registry->PutModel(FaultModel("new", "sha256:02"));
    const bool fired = FailingDisk::Fired();
    FailingDisk::Disarm();
    if (!fired) {
      ASSERT_TRUE(put.ok()) << put;
      break;
    }
    ASSERT_FALSE(put.ok());
    EXPECT_EQ(put.reason(), Reason::kDiskFull) << put;
    EXPECT_EQ(StateOf(*registry), before);
  }
  EXPECT_GT(nth, 1) << "no write was ever made to fail";
  EXPECT_EQ(StateOf(*registry).count("new"), 1U) << "there is room again";
  EXPECT_EQ(StateOf(*Registry::Open(file()).value()), StateOf(*registry));
}

// What the journal of loads says, the kernel keeps for as long as it runs: that is long enough.
TEST_F(RegistryFaultsTest, OnlyWhatMustSurviveAPowerCutWaitsForTheDisk) {
  const FailingDisk disk;
  auto registry = Registry::Open(file()).value();
  ASSERT_TRUE(registry->PutModel(FaultModel("m", "sha256:01")).ok());
  FailingDisk::Arm(FailingDisk::Call::kSync, 1, SQLITE_IOERR_FSYNC);
  EXPECT_TRUE(registry->BeginLoading(LoadKind::kModel, "m", "sha256:01").ok());
  EXPECT_TRUE(registry->EndLoading(LoadKind::kModel, "m").ok());
  EXPECT_FALSE(FailingDisk::Fired());
  EXPECT_EQ(registry->PutModel(FaultModel("m", "sha256:02")).reason(), Reason::kIoError);
  FailingDisk::Disarm();
}

TEST_F(RegistryFaultsTest, AfterAFailedSyncNothingIsWrittenUntilItIsOpenedAnew) {
  const FailingDisk disk;
  {
    auto registry = Registry::Open(file()).value();
    ASSERT_TRUE(registry->PutModel(FaultModel("old", "sha256:01")).ok());
    FailingDisk::Arm(FailingDisk::Call::kSync, 1, SQLITE_IOERR_FSYNC);
    EXPECT_EQ(registry->PutModel(FaultModel("new", "sha256:02")).reason(), Reason::kIoError);
    FailingDisk::Disarm();
    const Status second = registry->PutModel(FaultModel("new", "sha256:02"));
    ASSERT_FALSE(second.ok());
    EXPECT_THAT(std::string(second.message()), ::testing::HasSubstr("restart"));
  }
  auto reopened = Registry::Open(file()).value();
  EXPECT_EQ(StateOf(*reopened).at("old"), "sha256:01");
  EXPECT_TRUE(reopened->PutModel(FaultModel("new", "sha256:02")).ok());
}

}  // namespace
}  // namespace mlos::registry
