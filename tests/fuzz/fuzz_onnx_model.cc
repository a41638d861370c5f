// SPDX-License-Identifier: MIT
// The look into an ONNX file ends with a schema or a refusal, and names no file outside its folder.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "base/files.h"
#include "package/onnx/model.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto model = mlos::package::onnx::ParseModel({reinterpret_cast<const char*>(data), size});
  if (!model.ok()) return 0;
  for (const auto& external : model->external_data) {
    MLOS_CHECK(mlos::IsSafeRelativePath(external.location), "external data stays in its folder");
  }
  return 0;
}
