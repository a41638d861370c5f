// SPDX-License-Identifier: MIT
#pragma once

// The first load of a model's files happens in a short-lived child process: a file that crashes the
// engine, or makes it eat all memory, does so there. The child is Core's own program, called as
// `mlos_core --probe-model` with a Request as JSON on standard input; it answers with the status of
// the load as JSON on standard output.

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.h"
#include "probe/request.h"

namespace mlos::probe {

/// How the child ended, as far as it says something about the files.
struct Verdict {
  /// OK; what the engine said; or INVALID_MODEL for a crash, a timeout or want of memory.
  Status status;
  /// Whether the same files would end the same way tomorrow: true for success and for crashes.
  bool lasting = false;
};

/// Who tries, and for how long.
struct Program {
  std::filesystem::path path;
  std::int64_t timeout_ms = 0;
  /// Ends them with DRAINING once it is true; may be null.
  const std::atomic<bool>* cancelled = nullptr;
};

/// Has `program` try a load. A Status of its own only where it could not be tried.
Result<Verdict> Try(const Program& program, const Request& request);

/// The child: reads a Request from standard input, limits itself, loads the plugin and the model,
/// unloads them and answers. Returns the exit code: 0 where it has answered, whatever that was.
int RunProbe();

}  // namespace mlos::probe
