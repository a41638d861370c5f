// SPDX-License-Identifier: MIT
#include "process/child_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>
#include <iostream>
#include <thread>

#include "base/clock.h"
#include "base/test_waiting.h"
#include "process/test_seccomp.h"

namespace mlos::process {
namespace {

using Cause = ChildExit::Cause;

ChildCommand Shell(std::string script, std::int64_t timeout_ms = 60'000) {
  return {.program = "/bin/sh", .arguments = {"-c", std::move(script)}, .timeout_ms = timeout_ms};
}

TEST(RunChild, HandsInputOverAndOutputAndExitCodeBack) {
  ChildCommand command = Shell("cat; echo noise >&2; exit 7");
  command.input = std::string(200'000, 'x') + "end";
  command.output_bytes_max = 1 << 20;
  const ChildExit end = RunChild(command).value();
  EXPECT_EQ(end.cause, Cause::kExited);
  EXPECT_EQ(end.code, 7);
  EXPECT_EQ(end.output, command.input);
}

TEST(RunChild, TellsTheSignalThatKilledIt) {
  const ChildExit end = RunChild(Shell("echo before; kill -SEGV $$")).value();
  EXPECT_EQ(end.cause, Cause::kSignalled);
  EXPECT_EQ(end.code, SIGSEGV);
  EXPECT_EQ(end.output, "before\n");
}

TEST(RunChild, KillsWhatTakesTooLong) {
  EXPECT_TRUE(WithTimeEnough(std::chrono::milliseconds(300), [](std::chrono::milliseconds time) {
    const ChildExit end = RunChild(Shell("echo started; sleep 100", time.count())).value();
    EXPECT_EQ(end.cause, Cause::kTimedOut);
    return end.output == "started\n";
  }));
}

TEST(RunChild, IsNotHeldUpByAProcessTheChildLeftBehind) {
  const auto start = SteadyClock::now();
  const ChildExit end = RunChild(Shell("echo done; sleep 20 & exit 0")).value();
  EXPECT_EQ(end.cause, Cause::kExited);
  EXPECT_EQ(end.output, "done\n");
  EXPECT_LT(SteadyClock::now() - start, std::chrono::seconds(10));
}

TEST(RunChild, StopsWhenCancelled) {
  std::atomic<bool> cancelled = false;
  ChildCommand command = Shell("sleep 100");
  command.cancelled = &cancelled;
  std::thread canceller([&] { cancelled = true; });
  EXPECT_EQ(RunChild(command).value().cause, Cause::kCancelled);
  canceller.join();
}

TEST(RunChild, ThrowsAwayMoreOutputThanAskedFor) {
  ChildCommand command = Shell("yes | head -c 1000000; exit 3");
  command.output_bytes_max = 10;
  const ChildExit end = RunChild(command).value();
  EXPECT_EQ(end.output, "y\ny\ny\ny\ny\n");
  EXPECT_EQ(end.code, 3);
}

TEST(RunChild, TheChildHasNoDescriptorOfOurs) {
  const ChildExit end = RunChild(Shell("ls /proc/self/fd | wc -l")).value();
  // Standard input, output, error, and the folder that ls reads.
  EXPECT_EQ(end.output, "4\n");
}

TEST(RunChild, TheChildHasNoVariableOfOurs) {
  ChildCommand command{.program = "/usr/bin/env", .timeout_ms = 60'000};
  EXPECT_EQ(RunChild(command).value().output, "");
  command.environment = {"NAME=a value", "EMPTY="};
  EXPECT_EQ(RunChild(command).value().output, "NAME=a value\nEMPTY=\n");
}

TEST(RunChild, AProgramThatIsNotThereIsAnError) {
  const Result<ChildExit> end = RunChild({.program = "/nonexistent/program", .timeout_ms = 1000});
  ASSERT_FALSE(end.ok());
  EXPECT_EQ(end.status().reason(), Reason::kFileNotFound);
  EXPECT_THAT(std::string(end.status().message()), ::testing::Not(::testing::HasSubstr("/")));
}

TEST(CheckKernelDeathTest, SaysWhichKernelIsNeeded) {
  EXPECT_TRUE(CheckKernel().ok());
  const auto check = [] {
    test::RefuseCall(SYS_pidfd_open, ENOSYS);
    const Status refused = CheckKernel();
    std::cerr << refused.message();
    std::exit(refused.ok() ? 1 : 0);
  };
  EXPECT_EXIT(check(), testing::ExitedWithCode(0), "Linux 5.3 or newer");
}

}  // namespace
}  // namespace mlos::process
