// SPDX-License-Identifier: MIT
#pragma once

#include <onnxruntime_cxx_api.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>

#include "onnx/prepared_run.h"
#include "onnx/signature.h"
#include "onnx/weights.h"

namespace mlos::onnx {

/// A graph that ONNX Runtime has loaded, shared by every model of equal weights and by concurrent
/// runs. Thread-safe.
class Session {
 public:
  /// Throws Error: NOT_FOUND, INVALID_MODEL, UNSUPPORTED, OUT_OF_MEMORY.
  Session(Ort::Env& env, const Ort::SessionOptions& options, const std::filesystem::path& path);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() { TakePrepared(); }

  Ort::Session& ort() { return session_; }
  const std::shared_ptr<const Signature>& signature() const { return signature_; }
  /// Bytes of the graph's file and of its external data.
  std::uint64_t weight_bytes() const { return weight_bytes_; }

  /// False once the graph has given an output of another shape than it declares, or than it gave
  /// before for the same inputs: from then on ONNX Runtime allocates the outputs.
  bool declares_truly() const { return declares_truly_.load(std::memory_order_relaxed); }
  void set_declares_falsely() { declares_truly_.store(false, std::memory_order_relaxed); }

  /// What is prepared, for the caller alone until it puts it back; null where there is nothing or
  /// another run has it.
  std::unique_ptr<PreparedRun> TakePrepared() {
    return std::unique_ptr<PreparedRun>(prepared_.exchange(nullptr, std::memory_order_acq_rel));
  }
  void PutPrepared(std::unique_ptr<PreparedRun> prepared) {
    delete prepared_.exchange(prepared.release(), std::memory_order_acq_rel);
  }
  /// Whether two runs in a row had inputs of shapes with this `hash`.
  bool SeenTwice(std::uint64_t hash) {
    return last_shapes_.exchange(hash, std::memory_order_relaxed) == hash;
  }

 private:
  Ort::Session Open(Ort::Env& env, const Ort::SessionOptions& options,
                    const std::filesystem::path& path);

  std::unique_ptr<Weights> weights_;  // goes after session_; null where the session has copies
  Ort::Session session_{nullptr};
  std::shared_ptr<const Signature> signature_;
  std::uint64_t weight_bytes_ = 0;
  std::atomic<bool> declares_truly_{true};
  std::atomic<PreparedRun*> prepared_{nullptr};  // owned; goes before session_
  std::atomic<std::uint64_t> last_shapes_{0};
};

}  // namespace mlos::onnx
