// SPDX-License-Identifier: MIT
#pragma once

#include <onnxruntime_cxx_api.h>

namespace mlos::onnx {

/// Gives unused memory of the environment's arena back to the system. The arena never does so by
/// itself, and cannot join what it holds in pieces: requests of ever new sizes would end at its
/// limit with all of it free. ONNX Runtime shrinks an arena only at the end of a run, so there is a
/// graph of one node to run. Thread-safe.
class ArenaShrinker {
 public:
  /// `options` must make sessions use the environment's arena.
  ArenaShrinker(Ort::Env& env, const Ort::SessionOptions& options);
  ArenaShrinker(const ArenaShrinker&) = delete;
  ArenaShrinker& operator=(const ArenaShrinker&) = delete;

  /// Throws Ort::Exception.
  void Shrink();

 private:
  Ort::Session session_;
  Ort::RunOptions run_options_;
};

}  // namespace mlos::onnx
