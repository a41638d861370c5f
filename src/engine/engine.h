// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/inference.h"
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

/// Takes the responses of a stream, in order, one at a time, on any thread. Not OK where no more of
/// them are wanted, and why.
using ResponseSink = std::function<Status(InferenceResponse)>;

/// A model that an engine has ready to run. Destruction unloads it; no Infer may run by then.
/// Thread-safe.
class LoadedModel {
 public:
  LoadedModel() = default;
  LoadedModel(const LoadedModel&) = delete;
  LoadedModel& operator=(const LoadedModel&) = delete;
  virtual ~LoadedModel() = default;

  virtual const ModelSchema& schema() const = 0;
  /// Runs the model on the calling thread. A client's fault is INVALID_ARGUMENT with the input as
  /// its field; an exhausted arena OUT_OF_MEMORY; anything else PLUGIN_FAILED.
  virtual Result<InferenceResponse> Infer(const InferenceRequest& request) = 0;
  /// The same, handing over each response as it comes; returns when there are no more. A model that
  /// answers once gives one. Fails as Infer does, or as `sink` did.
  virtual Status Stream(const InferenceRequest& request, const ResponseSink& sink);
  /// Whether Stream may give more than one response.
  virtual bool streams() const { return false; }
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
