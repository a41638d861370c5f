// SPDX-License-Identifier: MIT
#pragma once

#include <onnxruntime_cxx_api.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>

#include "onnx/signature.h"

namespace mlos::onnx {

/// A graph that ONNX Runtime has loaded, shared by every model of equal weights and by concurrent
/// runs. Thread-safe.
class Session {
 public:
  /// Throws Error: NOT_FOUND, INVALID_MODEL, UNSUPPORTED, OUT_OF_MEMORY.
  Session(Ort::Env& env, const Ort::SessionOptions& options, const std::filesystem::path& path);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  Ort::Session& ort() { return session_; }
  const std::shared_ptr<const Signature>& signature() const { return signature_; }
  /// Bytes of the graph's file and of its external data.
  std::uint64_t weight_bytes() const { return weight_bytes_; }

  /// False once the graph has given an output of another shape than it declares: from then on ONNX
  /// Runtime allocates the outputs.
  bool declares_truly() const { return declares_truly_.load(std::memory_order_relaxed); }
  void set_declares_falsely() { declares_truly_.store(false, std::memory_order_relaxed); }

 private:
  Ort::Session session_{nullptr};
  std::shared_ptr<const Signature> signature_;
  std::uint64_t weight_bytes_ = 0;
  std::atomic<bool> declares_truly_{true};
};

}  // namespace mlos::onnx
