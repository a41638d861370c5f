// SPDX-License-Identifier: MIT
// ONNX Runtime alone, through its C++ API, one thread: what no server can do without.
//
//   ort_floor run MODEL COUNT DIM...   microseconds at p50 and p99 of a run, output bound
//   beforehand ort_floor load MODEL COUNT         microseconds at p50 and p99 of making a session
//   of a file
//
// The model has one float32 input `x` of that shape and one output `y`.
#include <onnxruntime_cxx_api.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

/// Times `work`, count times after a tenth as many that are not counted; `after` is not timed.
int Measure(
    int count, const std::function<void()>& work, const std::function<void()>& after = [] {}) {
  std::vector<double> times_us;
  for (int i = -count / 10; i < count; ++i) {
    const Clock::time_point start = Clock::now();
    work();
    const std::chrono::duration<double, std::micro> elapsed = Clock::now() - start;
    if (i >= 0) times_us.push_back(elapsed.count());
    after();
  }
  std::sort(times_us.begin(), times_us.end());
  std::printf("%.2f %.2f\n", times_us[times_us.size() / 2], times_us[times_us.size() * 99 / 100]);
  return 0;
}

int Run(Ort::Env& env, const Ort::SessionOptions& options, const char* model, int count,
        const std::vector<std::int64_t>& shape) {
  Ort::Session session(env, model, options);
  std::size_t size = 1;
  for (const std::int64_t dim : shape) size *= static_cast<std::size_t>(dim);
  std::vector<float> data(size);
  for (std::size_t i = 0; i < size; ++i) data[i] = static_cast<float>(i % 97) / 97;
  const auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
  const auto input =
      Ort::Value::CreateTensor<float>(memory, data.data(), size, shape.data(), shape.size());
  Ort::IoBinding binding(session);
  binding.BindInput("x", input);
  binding.BindOutput("y", memory);
  const Ort::RunOptions run_options;
  return Measure(count, [&] { session.Run(run_options, binding); });
}

}  // namespace

int main(int argc, char** argv) try {
  const std::vector<std::string> args(argv, argv + argc);
  if (args.size() < 4) return 2;
  Ort::Env env(ORT_LOGGING_LEVEL_ERROR, "ort_floor");
  Ort::SessionOptions options;
  options.SetIntraOpNumThreads(1);
  options.SetInterOpNumThreads(1);
  const int count = std::atoi(args[3].c_str());
  if (args[1] == "load") {
    std::optional<Ort::Session> session;
    return Measure(
        count, [&] { session.emplace(env, args[2].c_str(), options); }, [&] { session.reset(); });
  }
  std::vector<std::int64_t> shape;
  for (std::size_t i = 4; i < args.size(); ++i) shape.push_back(std::atoll(args[i].c_str()));
  return Run(env, options, args[2].c_str(), count, shape);
} catch (const std::exception& error) {
  std::fprintf(stderr, "ort_floor: %s\n", error.what());
  return 1;
}
