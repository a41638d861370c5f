// SPDX-License-Identifier: MIT
#include "onnx/engine.h"

#include <malloc.h>
#include <onnxruntime_session_options_config_keys.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "onnx/error.h"
#include "onnx/log.h"

namespace mlos::onnx {
namespace {

constexpr int kSameAsRequested = 1;  // an arena that grows by what is asked for, not by doubling
constexpr int kDefault = -1;

Ort::SessionOptions MakeSessionOptions(const Config& config, std::uint32_t thread_count) {
  Ort::SessionOptions options;
  if (thread_count == 0) {
    options.DisablePerSessionThreads();
  } else {
    options.SetIntraOpNumThreads(static_cast<int>(thread_count));
    options.SetInterOpNumThreads(1);
  }
  options.SetGraphOptimizationLevel(config.graph_optimization);
  options.SetLogSeverityLevel(ORT_LOGGING_LEVEL_ERROR);
  options.AddConfigEntry(kOrtSessionOptionsConfigUseEnvAllocators, "1");
  options.AddConfigEntry(kOrtSessionOptionsConfigAllowIntraOpSpinning, "0");
  // Weights outside the arena: its limit is for running, and they are freed when the session is.
  options.AddConfigEntry(kOrtSessionOptionsUseDeviceAllocatorForInitializers, "1");
  return options;
}

// Of weights; looking for memory to give back takes longer than loading a smaller model.
constexpr std::uint64_t kTrimBytes = 1 << 20;

}  // namespace

void Engine::SetResources(std::uint32_t thread_count, std::uint64_t memory_bytes) {
  const std::lock_guard lock(mutex_);
  if (env_) throw Error(SMI_ERROR_UNAVAILABLE, "resources are granted before the first model");
  thread_count_ = thread_count;
  memory_bytes_ = memory_bytes;
}

void Engine::Start() {
  const std::lock_guard lock(mutex_);
  if (env_) return;
  const std::uint32_t threads =
      thread_count_ != 0 ? thread_count_ : std::max(1u, std::thread::hardware_concurrency());
  Ort::ThreadingOptions threading;
  threading.SetGlobalIntraOpNumThreads(static_cast<int>(threads));
  threading.SetGlobalInterOpNumThreads(1);
  threading.SetGlobalSpinControl(0);
  Ort::Env env(threading, &LogToHost, const_cast<smi_host_t*>(host_), ORT_LOGGING_LEVEL_WARNING,
               "onnx");
  env.DisableTelemetryEvents();
  memory_info_ = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
  const Ort::ArenaCfg arena(memory_bytes_, kSameAsRequested, kDefault, kDefault);
  env.CreateAndRegisterAllocator(memory_info_, arena);
  session_options_ = MakeSessionOptions(config_, 0);
  run_options_ = MakeRunOptions();
  shrinker_ = std::make_unique<ArenaShrinker>(env, session_options_);
  env_ = std::move(env);
}

void Engine::ShrinkArena() const {
  try {
    shrinker_->Shrink();
  } catch (const Ort::Exception&) {
    // The arena stays as large as it is.
  }
}

std::shared_ptr<Engine::Place> Engine::PlaceOf(const std::string& digest,
                                               std::uint32_t thread_count) {
  const std::lock_guard lock(mutex_);
  // Places that nobody has a session of or is about to open one for.
  std::erase_if(places_, [](const auto& entry) {
    return entry.second.use_count() == 1 && entry.second->session.expired();
  });
  const std::string key = digest.empty()
                              ? std::to_string(++unshared_count_)
                              : std::to_string(thread_count) + " threads, digest " + digest;
  std::shared_ptr<Place>& place = places_[key];
  if (place == nullptr) place = std::make_shared<Place>();
  return place;
}

std::shared_ptr<Session> Engine::Open(const std::filesystem::path& path, const std::string& digest,
                                      std::uint32_t thread_count) {
  Start();
  const std::shared_ptr<Place> place = PlaceOf(digest, thread_count);
  const std::lock_guard opening(place->opening);
  {
    const std::lock_guard lock(mutex_);
    if (std::shared_ptr<Session> session = place->session.lock()) return session;
  }
  auto session = thread_count == 0 ? std::make_shared<Session>(env_, session_options_, path)
                                   : std::make_shared<Session>(
                                         env_, MakeSessionOptions(config_, thread_count), path);
  // Reading a model takes about as much memory again, which the C library would keep.
  if (session->weight_bytes() >= kTrimBytes) ::malloc_trim(0);
  const std::lock_guard lock(mutex_);
  place->session = session;
  return session;
}

std::uint64_t Engine::weight_bytes() const {
  const std::lock_guard lock(mutex_);
  std::uint64_t bytes = 0;
  for (const auto& [key, place] : places_) {
    if (const auto session = place->session.lock()) bytes += session->weight_bytes();
  }
  return bytes;
}

std::uint64_t Engine::memory_bytes_max() const {
  const std::lock_guard lock(mutex_);
  return memory_bytes_;
}

}  // namespace mlos::onnx
