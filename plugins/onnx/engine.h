// SPDX-License-Identifier: MIT
#pragma once

#include <onnxruntime_cxx_api.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "mlos/smi_spec.h"
#include "onnx/arena.h"
#include "onnx/config.h"
#include "onnx/session.h"
#include "onnx/stoppable.h"

namespace mlos::onnx {

/// ONNX Runtime as this plugin uses it: one environment with one thread pool and one arena for all
/// models, and one session for equal weights. Thread-safe.
class Engine {
 public:
  /// `host` may be null.
  Engine(const smi_host_t* host, const Config& config) : host_(host), config_(config) {}
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Before the first session. Throws Error (UNAVAILABLE) later.
  void SetResources(std::uint32_t thread_count, std::uint64_t memory_bytes);

  /// The session of `digest`, opened from `path` where none lives; an empty digest shares with
  /// nobody. Its runs compute with `thread_count` threads of its own, or with those that all models
  /// share for 0; only sessions of equal count are shared. Throws Error; see Session.
  std::shared_ptr<Session> Open(const std::filesystem::path& path, const std::string& digest,
                                std::uint32_t thread_count = 0);

  /// Gives what the arena holds and nobody uses back to the system.
  void ShrinkArena() const;

  /// Of all runs that nobody stops.
  const Ort::RunOptions& run_options() const { return run_options_; }
  StoppableRuns& stoppable_runs() const { return stoppable_runs_; }
  const Ort::MemoryInfo& memory_info() const { return memory_info_; }
  /// Of all sessions that live.
  std::uint64_t weight_bytes() const;
  /// 0: unlimited.
  std::uint64_t memory_bytes_max() const;

 private:
  // A place in the cache. `opening` makes those who want the same session wait for the one who
  // opens it, and nobody else; it is taken before mutex_, which guards `session`.
  struct Place {
    std::mutex opening;
    std::weak_ptr<Session> session;
  };

  void Start();
  std::shared_ptr<Place> PlaceOf(const std::string& digest, std::uint32_t thread_count);

  const smi_host_t* const host_;
  const Config config_;

  mutable std::mutex mutex_;  // guards what follows, down to places_
  std::uint32_t thread_count_ = 0;
  std::uint64_t memory_bytes_ = 0;
  Ort::Env env_{nullptr};
  std::uint64_t unshared_count_ = 0;
  std::map<std::string, std::shared_ptr<Place>> places_;  // by digest and threads

  // Set once by Start.
  Ort::SessionOptions session_options_{nullptr};
  Ort::RunOptions run_options_{nullptr};
  Ort::MemoryInfo memory_info_{nullptr};
  std::unique_ptr<ArenaShrinker> shrinker_;

  mutable StoppableRuns stoppable_runs_;
};

}  // namespace mlos::onnx
