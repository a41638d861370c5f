// SPDX-License-Identifier: MIT
#include "onnx/arena.h"

#include <onnxruntime_run_options_config_keys.h>

#include <string_view>

namespace mlos::onnx {
namespace {

using std::string_view_literals::operator""sv;

// onnx.ModelProto: ir_version 7, opset 13, graph g: y = Not(x) over bool scalars.
constexpr std::string_view kGraph =
    "\x08\x07"
    ":*\n\x0b\n\x01x\x12\x01y\"\x03Not\x12\x01gZ\x0b\n\x01x\x12\x06\n\x04\x08\t\x12\x00"
    "b\x0b\n\x01y\x12\x06\n\x04\x08\t\x12\x00"
    "B\x04\n\x00\x10\r"sv;

}  // namespace

ArenaShrinker::ArenaShrinker(Ort::Env& env, const Ort::SessionOptions& options)
    : session_(env, kGraph.data(), kGraph.size(), options) {
  run_options_.AddConfigEntry(kOrtRunOptionsConfigEnableMemoryArenaShrinkage, "cpu:0");
}

void ArenaShrinker::Shrink() {
  const auto memory = Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeDefault);
  bool x = false;
  const Ort::Value input = Ort::Value::CreateTensor<bool>(memory, &x, 1, nullptr, 0);
  const char* const input_name = "x";
  const char* const output_name = "y";
  session_.Run(run_options_, &input_name, &input, 1, &output_name, 1);
}

}  // namespace mlos::onnx
