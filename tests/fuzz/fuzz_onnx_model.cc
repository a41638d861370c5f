// SPDX-License-Identifier: MIT
// The look into an ONNX file ends with a schema or a refusal, and names no file outside its folder.
// Its weights lie within it, and the graph without them is the same graph.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/files.h"
#include "package/onnx/model.h"
#include "package/onnx/slim_graph.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view file(reinterpret_cast<const char*>(data), size);
  const auto model = mlos::package::onnx::ParseModel(file);
  if (!model.ok()) return 0;
  for (const auto& external : model->external_data) {
    MLOS_CHECK(mlos::IsSafeRelativePath(external.location), "external data stays in its folder");
  }
  for (const auto& weight : model->weights) {
    if (!weight.location.empty()) continue;
    MLOS_CHECK(weight.data.offset_bytes <= size, "a weight begins in its file");
    MLOS_CHECK(weight.data.size_bytes <= size - weight.data.offset_bytes, "and ends there");
  }
  const std::string slim = mlos::package::onnx::WithoutWeights(*model, file, "file.onnx");
  const auto again = mlos::package::onnx::ParseModel(slim);
  MLOS_CHECK(again.ok(), "the graph without its weights is a graph");
  MLOS_CHECK(again->inputs == model->inputs && again->outputs == model->outputs &&
                 again->tensor_bytes == model->tensor_bytes,
             "it is the same graph");
  return 0;
}
