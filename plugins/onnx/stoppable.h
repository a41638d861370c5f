// SPDX-License-Identifier: MIT
#pragma once

#include <onnxruntime_cxx_api.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <vector>

#include "mlos/smi_spec.h"

namespace mlos::onnx {

/// Run options that only report their failures.
Ort::RunOptions MakeRunOptions();

/// The runs that may be stopped, each with run options of its own: what ONNX Runtime terminates is
/// all runs that share them. A loop ends before its next iteration, a kernel runs to its end.
/// Thread-safe.
class StoppableRuns {
 public:
  /// Ends the run of the request, if there is one. Returns at once.
  void Stop(std::uint64_t request_id);

 private:
  friend class RunOptionsLease;
  /// The run's options, until End.
  const Ort::RunOptions& Begin(std::uint64_t request_id);
  void End(std::uint64_t request_id);

  // Making options takes longer than taking them off a list.
  static constexpr std::size_t kIdleMax = 64;

  std::mutex mutex_;  // guards what follows
  std::map<std::uint64_t, Ort::RunOptions> running_;
  std::vector<Ort::RunOptions> idle_;
};

/// The run options of one run: those that all share or, if the request may be cancelled, its own.
/// Thread-compatible.
class RunOptionsLease {
 public:
  RunOptionsLease(const Ort::RunOptions& shared, StoppableRuns& runs, const smi_request_t& request);
  RunOptionsLease(const RunOptionsLease&) = delete;
  RunOptionsLease& operator=(const RunOptionsLease&) = delete;
  ~RunOptionsLease();

  const Ort::RunOptions& options() const { return *options_; }
  /// Whether the host wants the run to end.
  bool cancelled() const;

 private:
  StoppableRuns& runs_;
  const std::uint64_t request_id_;
  const std::uint32_t* const cancelled_;  // null for a run that nobody stops
  const Ort::RunOptions* options_;
};

}  // namespace mlos::onnx
