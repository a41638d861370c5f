// SPDX-License-Identifier: MIT
#include "probe/probe.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "probe/message.h"
#include "process/child_process.h"

namespace mlos::probe {
namespace {

Status Invalid(std::string message) {
  return Status(Reason::kInvalidModel, std::move(message)).WithField("path");
}

/// What loading a plugin and its libraries may depend on. Whatever else Core was started with, the
/// tokens of other programs for one, is kept from the code that reads a hostile file.
std::vector<std::string> ChildEnvironment() {
  constexpr std::array<std::string_view, 17> kPassedOn = {"PATH=",
                                                          "HOME=",
                                                          "TMPDIR=",
                                                          "TZ=",
                                                          "LANG=",
                                                          "LC_",
                                                          "LD_",
                                                          "OMP_",
                                                          "ORT_",
                                                          "CUDA_",
                                                          "NVIDIA_",
                                                          "SMI_",
                                                          "ASAN_OPTIONS=",
                                                          "LSAN_OPTIONS=",
                                                          "TSAN_OPTIONS=",
                                                          "UBSAN_OPTIONS=",
                                                          "LLVM_PROFILE_FILE="};
  std::vector<std::string> kept;
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string_view variable = *at;
    const bool passed_on = std::any_of(kPassedOn.begin(), kPassedOn.end(), [&](auto beginning) {
      return variable.starts_with(beginning);
    });
    if (passed_on) kept.emplace_back(variable);
  }
  return kept;
}

Verdict Crashed(const std::string& how) {
  return {Invalid("the model crashed in its trial load (" + how + ")"), true};
}

Verdict VerdictOnSignal(int signal) {
  // Nobody but the kernel, short of memory, or an operator kills with it.
  if (signal == SIGKILL) {
    return {Invalid("the trial load was killed, most likely for lack of memory"), false};
  }
  const char* name = ::sigabbrev_np(signal);
  return Crashed(name == nullptr ? "signal " + std::to_string(signal) : "SIG" + std::string(name));
}

Verdict VerdictOnReport(Status status) {
  if (status.ok()) return {OkStatus(), true};
  if (status.reason() == Reason::kOutOfMemory) {
    return {Invalid("loading the model takes more memory than it may: " +
                    std::string(status.message())),
            false};
  }
  return {std::move(status), false};
}

}  // namespace

Result<Verdict> Try(const Program& program, const Request& request) {
  process::ChildCommand command;
  command.program = program.path;
  command.arguments = {"--probe-model"};
  command.environment = ChildEnvironment();
  command.input = WriteRequest(request);
  command.timeout_ms = program.timeout_ms;
  command.cancelled = program.cancelled;
  const process::ChildExit end = MLOS_TRY(process::RunChild(command));
  switch (end.cause) {
    case process::ChildExit::Cause::kSignalled:
      return VerdictOnSignal(end.code);
    case process::ChildExit::Cause::kTimedOut:
      return Verdict{
          Invalid("the trial load took longer than " + std::to_string(program.timeout_ms) + " ms"),
          false};
    case process::ChildExit::Cause::kCancelled:
      return Status(Reason::kDraining, "Core is shutting down");
    default:
      break;
  }
  Result<Report> report = ReadReport(end.output);
  if (!report.ok()) return Crashed("it ended the process with code " + std::to_string(end.code));
  return VerdictOnReport(std::move(report->status));
}

}  // namespace mlos::probe
