// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <memory>
#include <thread>

#include "api/grpc/server.h"
#include "api/http/server.h"
#include "api/ipc/server.h"
#include "base/files.h"
#include "base/mutex.h"
#include "base/result.h"
#include "daemon/config.h"
#include "net/listener.h"
#include "net/tls/server.h"
#include "runtime/runtime.h"

namespace mlos::daemon {

/// A running MLOS Core: the state folder's lock, the runtime and the doors, built in that order and
/// taken down in the opposite one. Thread-compatible: one thread starts and stops it.
class Core {
 public:
  /// The server's side of TLS, or null if the configuration asks for none. INVALID_CONFIG if a file
  /// is not usable.
  static Result<std::shared_ptr<net::tls::Server>> LoadTls(const Config& config);
  /// Opens the registry and the doors; registered models are loaded in the background meanwhile.
  /// STATE_LOCKED or ADDRESS_IN_USE if another Core is at work.
  static Result<std::unique_ptr<Core>> Start(const Config& config);
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;
  ~Core();

  /// Reads the TLS files again; if they are not usable, the old ones stay in use.
  void ReloadTls(const Config& config);

  /// Tries again, in the background, to load registered models that are not loaded. If an attempt
  /// is running, another one follows it. Does not wait.
  void LoadRegistered();

  /// Stops accepting, answers the requests in progress, and ends. False if the grace period was not
  /// enough.
  bool Stop(std::chrono::milliseconds grace);

 private:
  Core(FileLock state_lock, std::unique_ptr<runtime::Runtime> runtime, const Config& config);
  Status OpenDoors(const Config& config);
  /// The loop of the loader's thread.
  void LoadWhileWanted();

  FileLock state_lock_;
  std::unique_ptr<runtime::Runtime> runtime_;
  std::unique_ptr<api::door::Lobby> lobby_;
  std::shared_ptr<net::tls::Server> tls_;  ///< null: plain TCP
  // Null: that door is closed.
  std::unique_ptr<net::Listener> http_;
  std::unique_ptr<net::Listener> grpc_;
  std::unique_ptr<net::Listener> ipc_;
  Mutex loader_mutex_;
  bool load_wanted_ GUARDED_BY(loader_mutex_) = false;
  bool loading_ GUARDED_BY(loader_mutex_) = false;
  std::thread loader_;
};

}  // namespace mlos::daemon
