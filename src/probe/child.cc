// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/files.h"
#include "base/unique_fd.h"
#include "plugin/plugin.h"
#include "probe/message.h"
#include "probe/probe.h"
#include "probe/sanitizers.h"

namespace mlos::probe {
namespace {

Result<std::string> ReadToEnd(int fd) {
  constexpr std::size_t kRequestBytesMax = std::size_t{4} << 20;
  std::string text;
  std::array<char, 65536> chunk{};
  while (true) {
    const ssize_t count = ::read(fd, chunk.data(), chunk.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ErrnoStatus(errno, "cannot read the request of a probe");
    if (count == 0) return text;
    text.append(chunk.data(), static_cast<std::size_t>(count));
    if (text.size() > kRequestBytesMax) {
      return Status(Reason::kInternal, "a probe's request is too long");
    }
  }
}

void Limit(__rlimit_resource resource, std::uint64_t value) {
  const rlimit limit{value, value};
  ::setrlimit(resource, &limit);
}

/// Makes sure that whatever happens here ends here, and soon.
void LimitSelf(const Request& request) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  Limit(RLIMIT_CORE, 0);
  if (request.cpu_seconds_max > 0) {
    Limit(RLIMIT_CPU, static_cast<std::uint64_t>(request.cpu_seconds_max));
  }
  if (request.memory_bytes_max > 0 && !kShadowedMemory) Limit(RLIMIT_AS, request.memory_bytes_max);
  // If the machine runs out of memory all the same, this process goes first.
  const UniqueFd score(::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
  if (score.valid() && ::write(score.get(), "1000", 4) < 0) return;
}

Status TryLoad(const Request& request) {
  const plugin::PluginOptions options{
      .expected_id = request.plugin_id,
      .config = request.plugin_config,
      .thread_count = 1,
      .arena_bytes_max = request.arena_bytes_max,
  };
  const auto engine = MLOS_TRY(plugin::LoadPlugin(request.plugin_path, options));
  return engine->Load(request.source).status();
}

Status TryWhatIsAsked() {
  const std::string text = MLOS_TRY(ReadToEnd(STDIN_FILENO));
  const Request request = MLOS_TRY(ReadRequest(text));
  LimitSelf(request);
  return TryLoad(request);
}

}  // namespace

int RunProbe() {
  // What the plugin prints must not get into the answer.
  const UniqueFd answer(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  const UniqueFd nowhere(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  if (!answer.valid() || !nowhere.valid()) return 1;
  ::dup2(nowhere.get(), STDOUT_FILENO);
  const std::string report = WriteReport(TryWhatIsAsked());
  const ssize_t written = ::write(answer.get(), report.data(), report.size());
  // Without the destructors of whatever the plugin left: they would be judged after the verdict.
  ::_exit(written == static_cast<ssize_t>(report.size()) ? 0 : 1);
}

}  // namespace mlos::probe
