// SPDX-License-Identifier: MIT
#include "process/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>

#include "base/check.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/unique_fd.h"

namespace mlos::process {
namespace {

struct Pipe {
  UniqueFd read_end;
  UniqueFd write_end;
};

Result<Pipe> MakePipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return ErrnoStatus(errno, "cannot make a pipe");
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

/// `input` as a file in memory: unlike a pipe, it needs no writer beside the child.
Result<UniqueFd> FileOf(const std::string& input) {
  UniqueFd fd(::memfd_create("input", MFD_CLOEXEC));
  if (!fd.valid()) return ErrnoStatus(errno, "cannot make a file in memory");
  std::size_t written = 0;
  while (written < input.size()) {
    const ssize_t count = ::pwrite(fd.get(), input.data() + written, input.size() - written,
                                   static_cast<off_t>(written));
    if (count < 0) return ErrnoStatus(errno, "cannot write a file in memory");
    written += static_cast<std::size_t>(count);
  }
  return fd;
}

/// The pointers that exec wants; they are good while `texts` is.
std::vector<char*> PointersTo(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

/// What posix_spawn is told, with the C structs' lifetimes.
class SpawnPlan {
 public:
  SpawnPlan(int input, int output) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_adddup2(&actions_, input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions_, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_init(&attributes_);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }

  Result<pid_t> Start(const ChildCommand& command) const {
    const std::string name = command.program.filename().string();
    std::vector<std::string> arguments = {name};
    arguments.insert(arguments.end(), command.arguments.begin(), command.arguments.end());
    std::vector<std::string> environment = command.environment;
    pid_t child = 0;
    const int error = ::posix_spawn(&child, command.program.c_str(), &actions_, &attributes_,
                                    PointersTo(arguments).data(), PointersTo(environment).data());
    if (error != 0) return ErrnoStatus(error, "cannot start " + name);
    return child;
  }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

/// A started child: reaped on destruction at the latest, killed before that if it still runs.
class Child {
 public:
  explicit Child(pid_t pid)
      : pid_(pid), pidfd_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (!reaped_) Kill();
  }

  const UniqueFd& pidfd() const { return pidfd_; }

  int Reap() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0) MLOS_CHECK(errno == EINTR, "waitpid of an own child");
    reaped_ = true;
    return status;
  }
  int Kill() {
    ::kill(-pid_, SIGKILL);
    return Reap();
  }

 private:
  const pid_t pid_;
  const UniqueFd pidfd_;
  bool reaped_ = false;
};

/// Reads what there is. False at the end of the output.
bool ReadSome(int fd, std::size_t bytes_max, std::string& output) {
  std::array<char, 4096> chunk{};
  const ssize_t count = ::read(fd, chunk.data(), chunk.size());
  if (count < 0) return errno == EINTR || errno == EAGAIN;
  const std::size_t room = bytes_max - std::min(bytes_max, output.size());
  output.append(chunk.data(), std::min(room, static_cast<std::size_t>(count)));
  return count > 0;
}

/// Collects output until the child has ended: Cause::kExited, whatever the cause; or until it
/// shall.
ChildExit::Cause Await(const ChildCommand& command, const Child& child, int output_fd,
                       std::string& output) {
  constexpr int kCancelPollMs = 50;
  const Deadline deadline = SteadyClock::now() + std::chrono::milliseconds(command.timeout_ms);
  bool open = true;
  while (true) {
    std::array<pollfd, 2> polls = {pollfd{child.pidfd().get(), POLLIN, 0},
                                   pollfd{open ? output_fd : -1, POLLIN, 0}};
    ::poll(polls.data(), polls.size(), kCancelPollMs);
    if (polls[1].revents != 0) open = ReadSome(output_fd, command.output_bytes_max, output);
    // Whatever a child wrote before its end is in the pipe by then; a process that it left behind
    // may hold the pipe open for ever.
    if (polls[0].revents != 0 && polls[1].revents == 0) return ChildExit::Cause::kExited;
    if (command.cancelled != nullptr && command.cancelled->load()) {
      return ChildExit::Cause::kCancelled;
    }
    if (SteadyClock::now() >= deadline) return ChildExit::Cause::kTimedOut;
  }
}

}  // namespace

Status CheckKernel() {
  const UniqueFd self(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
  if (self.valid()) return OkStatus();
  return {Reason::kUnimplemented,
          std::string("this kernel cannot watch child processes (pidfd_open: ") +
              std::strerror(errno) +
              "); Linux 5.3 or newer is needed, and a sandbox that allows it"};
}

Result<ChildExit> RunChild(const ChildCommand& command) {
  const UniqueFd input = MLOS_TRY(FileOf(command.input));
  Pipe output = MLOS_TRY(MakePipe());
  Child child(MLOS_TRY(SpawnPlan(input.get(), output.write_end.get()).Start(command)));
  output.write_end.Reset();
  if (!child.pidfd().valid()) return ErrnoStatus(errno, "cannot watch a child process");
  ChildExit end;
  end.cause = Await(command, child, output.read_end.get(), end.output);
  if (end.cause != ChildExit::Cause::kExited) {
    child.Kill();
    return end;
  }
  const int status = child.Reap();
  if (WIFSIGNALED(status)) end.cause = ChildExit::Cause::kSignalled;
  end.code = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
  return end;
}

}  // namespace mlos::process
