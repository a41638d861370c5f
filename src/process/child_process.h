// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace mlos::process {

struct ChildCommand {
  std::filesystem::path program;
  /// Without the program's own name.
  std::vector<std::string> arguments;
  /// Its environment, as "NAME=value".
  std::vector<std::string> environment;
  /// What it reads from standard input.
  std::string input;
  /// Killed, with what it started, after this.
  std::int64_t timeout_ms = 0;
  /// More standard output than this is thrown away.
  std::size_t output_bytes_max = std::size_t{64} << 10;
  /// Killed soon after this becomes true; may be null.
  const std::atomic<bool>* cancelled = nullptr;
};

/// How a child ended.
struct ChildExit {
  enum class Cause : std::uint8_t { kExited, kSignalled, kTimedOut, kCancelled };
  Cause cause = Cause::kExited;
  /// The exit code, or the signal that killed it.
  int code = 0;
  /// Its standard output.
  std::string output;
};

/// Whether this kernel can do what RunChild needs, Linux 5.3 at least (pidfd_open). UNIMPLEMENTED.
Status CheckKernel();

/// Runs a program to its end and waits for it. The child has no descriptor and no variable of this
/// process, an empty signal mask, default signal handlers and a process group of its own; its
/// standard error goes nowhere. IO_ERROR or FILE_NOT_FOUND where it cannot be started.
/// Thread-safe.
Result<ChildExit> RunChild(const ChildCommand& command);

}  // namespace mlos::process
