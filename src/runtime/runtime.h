// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/model_id.h"
#include "base/result.h"
#include "catalog/model_info.h"
#include "catalog/plugin_info.h"
#include "catalog/served_model.h"
#include "engine/inference.h"
#include "metrics/stats.h"
#include "resource/accounts.h"
#include "runtime/caller.h"
#include "runtime/fit.h"
#include "runtime/ticket.h"

namespace mlos::runtime {

struct RuntimeOptions {
  /// Holds the registry and unpacked archives; exists and is locked by the caller.
  std::filesystem::path state_dir;
  /// Shared objects of plugins are loaded from here only.
  std::vector<std::filesystem::path> plugin_dirs;
  /// Models are read from below these only; empty: from anywhere.
  std::vector<std::filesystem::path> model_roots;
  /// The program that tries a model's first load in a process of its own (`--probe-model`).
  std::filesystem::path probe_program;
  std::int64_t probe_timeout_ms = 120'000;
  std::uint32_t compute_threads = 0;   ///< 0: one for each core
  std::uint32_t intra_op_threads = 0;  ///< of an engine; 0: one for each core
  std::uint64_t arena_bytes_max = 0;   ///< of an engine; 0: unlimited
  /// Of the copies of models' files below state_dir; 0: what the disk has.
  std::uint64_t model_copies_bytes_max = 0;
  /// Between two looks at the bytes of all models' files; 0: none.
  std::int64_t scrub_interval_s = 0;
  std::uint32_t queue_length_max = 1024;
  /// Request bodies, parser indexes, tensors and replies of all doors together.
  std::uint64_t in_flight_bytes_max = 1ULL << 30;
  /// Items of one run that requests may share; 1: only where a model was registered so.
  std::uint32_t max_batch_size = 32;
  std::int64_t max_queue_delay_us = 2000;  ///< that a run waits for more of them
  std::uint32_t sequences_max = 4096;      ///< of one model, under way at once
  /// After which a sequence that nobody goes on with is over.
  std::int64_t sequence_idle_timeout_ms = 60'000;
  /// All series of each model for Prometheus, in place of at most 25.
  bool metrics_full = false;
};

/// The use cases, and the only thing the doors call. Thread-safe.
class Runtime {
 public:
  /// Opens the registry. Models are not loaded yet: see LoadRegistered. STORE_CORRUPT, IO_ERROR.
  static Result<std::unique_ptr<Runtime>> Create(const RuntimeOptions& options);
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;
  ~Runtime();

  /// Tries every registered model with `autoload`, then is ready. Failures are kept in the models'
  /// states and never stop it.
  void LoadRegistered();
  /// True once LoadRegistered is through, until Drain.
  bool ready() const;

  /// DEADLINE_EXCEEDED if it is not done by `deadline`; an engine that is loading the model by then
  /// goes on, and what it loaded is freed when it ends. LoadModel does the same.
  Result<catalog::RegisterModelOutcome> RegisterModel(const catalog::RegisterModelRequest& request,
                                                      Deadline deadline = kNoDeadline);
  /// The model, if RegisterModel would find it registered just so and leave it as it is; nothing if
  /// it would change or load something. Refuses what RegisterModel would refuse for its files.
  /// Never waits for a load.
  Result<std::optional<catalog::ModelInfo>> FindRegistered(
      const catalog::RegisterModelRequest& request);
  Result<catalog::ModelInfo> GetModel(std::string_view model_id) const;
  std::vector<catalog::ModelInfo> ListModels() const;
  /// The id of the one model that `name` stands for: the id itself, the id without its version,
  /// both with "--" for '/' (what a client can type into a path), or the name its manifest gives
  /// it. With a `version`, only a model of that version. MODEL_NOT_FOUND, also where several models
  /// would do; INVALID_MODEL_ID for a text that can be no model's.
  Result<std::string> ResolveModel(std::string_view name, std::string_view version = {}) const;
  /// Requests that run may finish; later ones get MODEL_NOT_FOUND. Those that go on for too long
  /// are told to stop, early enough before `deadline`, and MODEL_IN_USE says that some did not; the
  /// model is removed even so. CONFLICT while the model is being registered or loaded. UnloadModel
  /// does the same.
  Status RemoveModel(std::string_view model_id, Deadline deadline = kNoDeadline);
  Result<catalog::ModelInfo> LoadModel(std::string_view model_id, Deadline deadline = kNoDeadline);
  Result<catalog::ModelInfo> UnloadModel(std::string_view model_id,
                                         Deadline deadline = kNoDeadline);

  Result<catalog::PluginInfo> RegisterPlugin(const catalog::RegisterPluginRequest& request);
  Result<catalog::PluginInfo> GetPlugin(std::string_view plugin_id) const;
  std::vector<catalog::PluginInfo> ListPlugins() const;
  /// PLUGIN_IN_USE while models of it are registered.
  Status RemovePlugin(std::string_view plugin_id);

  /// Lets `caller` in to the model `model_id`, once. MODEL_NOT_FOUND; MODEL_LOADING, after which
  /// AwaitLoad is to come; MODEL_NOT_LOADED or MODEL_QUARANTINED with the reason why; DRAINING.
  /// Failures count as requests of a registered model, except MODEL_LOADING.
  Result<Ticket> Admit(const Caller& caller, std::string_view model_id);
  /// Waits for a model that is being loaded, without a thread: calls `resume` once, later or
  /// before this returns, with OK when Admit may be tried again, or with what the caller is to be
  /// told: MODEL_LOADING at `until`, CANCELLED, DRAINING, OVERLOADED if too many wait. Failures
  /// count as those of Admit.
  void AwaitLoad(std::string_view model_id, Deadline until,
                 std::shared_ptr<const engine::Cancellation> cancellation,
                 std::function<void(Status)> resume);

  metrics::Stats& stats();
  /// Counts, gauges of now and of the plugins, as Prometheus text exposition format 0.0.4.
  std::string PrometheusText() const;
  /// What every door counts the bytes against that it holds for its callers, each one's by itself.
  resource::Accounts& accounts();

  /// Tells the requests that wait for a model to be loaded that Core shuts down, and those that
  /// come for such a model later.
  void StopAwaitingLoads();
  /// Refuses new requests and waits until the running ones are answered, or `deadline`. False where
  /// some were still running.
  bool Drain(Deadline deadline);

 private:
  class Impl;
  explicit Runtime(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace mlos::runtime
