// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/plugin.h"

namespace mlos::plugin {

/// `<name>.so` among the fixtures.
std::filesystem::path Fixture(std::string_view name);
std::filesystem::path OnnxPlugin();
std::filesystem::path Sample(std::string_view name);
/// `<name>.onnx` of those that make_models.py makes.
std::filesystem::path Model(std::string_view name);

/// A file that is not loaded, and why.
struct Refusal {
  const char* file;
  Reason reason;
  const char* says;
};

/// The plugin at `path`; a test that cannot load it fails and ends.
std::shared_ptr<PluginEngine> MustLoad(const std::filesystem::path& path,
                                       const PluginOptions& options = {});
/// The model at `path` (or without files) with `id`; a test that cannot load it fails and ends.
std::unique_ptr<engine::LoadedModel> MustLoadModel(PluginEngine& engine, std::string_view id,
                                                   const std::filesystem::path& path = "none",
                                                   std::string_view digest = "");

/// A gauge of the plugin; -1 where it has not set it.
double MetricOf(const PluginEngine& engine, std::string_view name);

/// A tensor that holds `values`, of the shape [their number] or of `shape`.
template <typename T>
tensor::Tensor MakeTensor(tensor::DType dtype, const std::vector<T>& values,
                          const tensor::Shape& shape) {
  tensor::Tensor tensor = tensor::Tensor::Allocate(dtype, shape).value();
  std::copy(values.begin(), values.end(), tensor.elements<T>().begin());
  return tensor;
}
tensor::Tensor Floats(const std::vector<float>& values);
tensor::Tensor Floats(const std::vector<float>& values, const tensor::Shape& shape);
tensor::Tensor Int64s(const std::vector<std::int64_t>& values);
tensor::Tensor Strings(const std::vector<std::string>& values, const tensor::Shape& shape);

std::vector<float> FloatsOf(const tensor::Tensor& tensor);
std::vector<std::string> StringsOf(const tensor::Tensor& tensor);

/// A request with one input.
engine::InferenceRequest Request(std::string_view name, tensor::Tensor tensor);
/// The same with a second one.
engine::InferenceRequest Request(std::string_view name, tensor::Tensor tensor,
                                 std::string_view second_name, tensor::Tensor second);

/// Whether the file of that name is mapped into this process.
bool IsMapped(std::string_view file_name);

}  // namespace mlos::plugin
