// SPDX-License-Identifier: MIT
#include <signal.h>
#include <sys/resource.h>

#include "axon/cli/app.h"
#include "axon/fetch/cancel.h"

namespace {

axon::fetch::CancelFlag g_cancel;

/// The first signal asks for an orderly end, the second gets its usual effect.
void HandleSignals() {
  struct sigaction action{};
  action.sa_handler = [](int) { g_cancel.Set(); };
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

}  // namespace

int main(int argc, char** argv) {
  // Memory holds the token; a core file must not.
  constexpr rlimit kNone{0, 0};
  ::setrlimit(RLIMIT_CORE, &kNone);
  HandleSignals();
  return static_cast<int>(axon::cli::Run(argc, argv, g_cancel));
}
