// SPDX-License-Identifier: MIT
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <thread>

#include "base/log.h"
#include "base/text.h"
#include "daemon/command_line.h"
#include "daemon/config_loader.h"
#include "daemon/core.h"
#include "daemon/options.h"
#include "daemon/state_tools.h"
#include "probe/probe.h"
#include "process/child_process.h"
#include "store/mapped_files.h"

namespace mlos::daemon {
namespace {

constexpr int kExitFailure = 1;

int Fail(const Status& status) {
  std::cerr << "error: " << Escaped(status.message()) << '\n';
  return kExitFailure;
}

LogFormat LogFormatOf(const Config& config) {
  return config.log_format == "json" ? LogFormat::kJson : LogFormat::kText;
}

// Memory holds the key of the TLS doors and the clients' data; a core file must not.
void ForbidCoreFiles() {
  constexpr rlimit kNone{0, 0};
  ::setrlimit(RLIMIT_CORE, &kNone);
}

// A library that an engine is made of may report who uses it, from the moment it is loaded. Nobody
// has asked for that. The child that tries models runs this program, too.
void ForbidTelemetry() { ::setenv("ORT_DISABLE_TELEMETRY", "1", 1); }

// Signals are taken by sigwait on the main thread; every thread started later inherits the mask.
sigset_t BlockSignals() {
  std::signal(SIGPIPE, SIG_IGN);
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

// Each connection is a descriptor, and the soft limit of 1,024 is only a historical default.
void RaiseDescriptorLimit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

/// Reads the configuration again; if it is bad, the old one stays.
void Reload(const ConfigSources& sources, Core& core, Config& config) {
  const Result<Config> fresh = LoadConfig(sources);
  if (!fresh.ok()) {
    Log(LogLevel::kError, "configuration not reloaded", {LogField(fresh.status())});
    return;
  }
  for (const Option& option : Options()) {
    if (option.get(*fresh) == option.get(config)) continue;
    if (!option.reloadable) {
      Log(LogLevel::kWarning, "a changed option needs a restart", {{"option", option.key}});
      continue;
    }
    const Status set = option.set(config, option.get(*fresh));
    MLOS_CHECK(set.ok(), "a checked value is not accepted again");
  }
  const Status logging = InitLogging(LogFormatOf(config), config.log_level);
  MLOS_CHECK(logging.ok(), "a checked log level is not accepted again");
  core.ReloadTls(config);
  core.LoadRegistered();
  Log(LogLevel::kInfo, "configuration reloaded");
}

// What is left to do once the last request is answered, or given up.
constexpr std::chrono::milliseconds kEndTime{500};

/// Ends the process after `time` whatever still runs: a run that does not stop, or a load, has
/// nobody left who waits for it.
void EndAfter(std::chrono::milliseconds time) {
  std::thread([time] {
    std::this_thread::sleep_for(time);
    Log(LogLevel::kError, "ended while something still ran");
    ::_exit(kExitFailure);
  }).detach();
}

/// What starting took and serving does not need goes back to the system.
void ReturnFreeMemory() {
#ifdef __GLIBC__
  ::malloc_trim(0);
#endif
}

int Serve(const ConfigSources& sources, Config config) {
  if (const Status kernel = process::CheckKernel(); !kernel.ok()) return Fail(kernel);
  const sigset_t signals = BlockSignals();
  RaiseDescriptorLimit();
  if (const Status logging = InitLogging(LogFormatOf(config), config.log_level); !logging.ok()) {
    return Fail(logging);
  }
  Result<std::unique_ptr<Core>> core = Core::Start(config);
  if (!core.ok()) return Fail(core.status());
  ReturnFreeMemory();
  while (true) {
    int signal = 0;
    sigwait(&signals, &signal);
    if (signal != SIGHUP) break;
    Reload(sources, **core, config);
  }
  Log(LogLevel::kInfo, "draining", {{"grace_ms", config.drain_timeout_ms}});
  const std::chrono::milliseconds grace(config.drain_timeout_ms);
  EndAfter(grace + kEndTime);
  const bool drained = (*core)->Stop(grace);
  Log(LogLevel::kInfo, drained ? "stopped" : "stopped with requests unanswered");
  return drained ? 0 : kExitFailure;
}

int Check(const Config& config) {
  const Result<std::shared_ptr<net::tls::Server>> tls = Core::LoadTls(config);
  if (!tls.ok()) return Fail(tls.status());
  std::cout << "configuration ok\n";
  return 0;
}

/// What a tool printed for, or why it could not.
int ExitCodeOf(const Result<int>& done) { return done.ok() ? *done : Fail(done.status()); }

int Main(int argc, const char* const* argv) {
  ForbidTelemetry();
  const CommandLine line = ParseCommandLine(argc, argv);
  if (line.action == Action::kExit) return line.exit_code;
  if (line.action == Action::kProbeModel) return probe::RunProbe();
  ForbidCoreFiles();
  store::MappedFiles::HandleFaults();
  Result<Config> config = LoadConfig(line.sources);
  if (!config.ok()) return Fail(config.status());
  switch (line.action) {
    case Action::kPrintConfig:
      std::cout << ToYaml(*config);
      return 0;
    case Action::kCheckConfig:
      return Check(*config);
    case Action::kCheckState:
      return ExitCodeOf(CheckState(*config));
    case Action::kBackup:
      return ExitCodeOf(BackUp(*config, line.file));
    case Action::kRestore:
      return ExitCodeOf(Restore(*config, line.file));
    default:
      return Serve(line.sources, std::move(config).value());
  }
}

}  // namespace
}  // namespace mlos::daemon

int main(int argc, char** argv) { return mlos::daemon::Main(argc, argv); }
