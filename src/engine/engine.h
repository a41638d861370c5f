// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/inference.h"
#include "engine/run.h"
#include "engine/stop.h"
#include "tensor/tensor_spec.h"

namespace mlos::engine {

/// What a model declares of its inputs and outputs.
struct ModelSchema {
  std::vector<tensor::TensorSpec> inputs;
  std::vector<tensor::TensorSpec> outputs;
  /// False where the engine declares nothing: tensors pass as callers shape them.
  bool declared = true;

  const tensor::TensorSpec* FindInput(std::string_view name) const;
  const tensor::TensorSpec* FindOutput(std::string_view name) const;
};

struct MemoryReport {
  std::uint64_t weight_bytes = 0;
  std::uint64_t arena_bytes = 0;
  std::uint64_t arena_limit_bytes = 0;
};

/// Where the files of a model are and what they are. The files have been checked.
struct ModelSource {
  std::string model_id;
  std::filesystem::path path;
  /// The execution format: "onnx".
  std::string format;
  /// Identifies the bytes of all its files: sources of equal digest may share weights.
  std::string digest;
  /// A JSON object of the engine's own, from whoever registered the model or from its package;
  /// empty for none.
  std::string options;
  /// Threads that a run of it computes with, in a pool of its own; 0: the engine's.
  std::uint32_t thread_count = 0;
};

/// A model that an engine has ready to run. Destruction unloads it; no run may be open by then.
/// Thread-safe.
class LoadedModel {
 public:
  LoadedModel() = default;
  LoadedModel(const LoadedModel&) = delete;
  LoadedModel& operator=(const LoadedModel&) = delete;
  virtual ~LoadedModel() = default;

  virtual const ModelSchema& schema() const = 0;

  /// Takes on `runs`, which may be of several callers, and returns without waiting for anything but
  /// the engine's own work; each run ends by its own Run::End, before this returns or later. A run
  /// fails like Infer does. The default answers each of them in place.
  virtual void Submit(std::span<Run* const> runs);
  /// Whether Submit may give more than one response to a run.
  virtual bool streams() const { return false; }

  /// Whether Infer may be called: the engine runs the model on the calling thread.
  virtual bool answers_in_place() const { return true; }
  /// Runs the model on the calling thread, and gives up early if `stop`, which may be null, is
  /// requested. A client's fault is INVALID_ARGUMENT with the input as its field; an exhausted
  /// arena OUT_OF_MEMORY; a run that was stopped CANCELLED; anything else PLUGIN_FAILED.
  virtual Result<InferenceResponse> Infer(const InferenceRequest& request, Stop* stop) = 0;

  /// Whether the engine says that a run takes a time that the shapes of its inputs give, and none
  /// that depends on their values: no loop whose end is data.
  virtual bool time_given_by_shapes() const { return false; }
  virtual MemoryReport memory() const = 0;
};

/// A gauge that an engine has set.
struct Gauge {
  std::string name;
  double value = 0;
};

enum class EngineHealth : std::uint8_t { kOk, kDegraded, kFailed };

/// "ok", "degraded" or "failed".
std::string_view ToString(EngineHealth health);

/// Something that runs models of some formats: a plugin, in process or not. Outlives the models it
/// has loaded. Thread-safe.
class Engine {
 public:
  Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  virtual ~Engine() = default;

  virtual std::string_view id() const = 0;
  virtual std::string_view name() const = 0;
  virtual std::string_view version() const = 0;
  virtual const std::vector<std::string>& formats() const = 0;

  /// INVALID_MODEL or UNSUPPORTED_MODEL where the files are at fault, INVALID_FIELD where the
  /// options are, OUT_OF_MEMORY, PLUGIN_FAILED.
  virtual Result<std::unique_ptr<LoadedModel>> Load(const ModelSource& source) = 0;
  virtual EngineHealth health() const = 0;
  /// The gauges set so far, sorted by name.
  virtual std::vector<Gauge> gauges() const = 0;
  virtual MemoryReport memory() const = 0;
};

}  // namespace mlos::engine
