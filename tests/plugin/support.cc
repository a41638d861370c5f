// SPDX-License-Identifier: MIT
#include "tests/plugin/support.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <utility>

namespace mlos::plugin {
namespace {

[[noreturn]] void Give(std::string_view what, const Status& status) {
  std::cerr << what << ": " << status << std::endl;
  std::abort();
}

}  // namespace

std::filesystem::path Fixture(std::string_view name) {
  return std::filesystem::path(MLOS_FIXTURES) / (std::string(name) + ".so");
}

std::filesystem::path OnnxPlugin() {
  return std::filesystem::path(MLOS_PLUGINS) / "libmlos_onnx.so";
}

std::filesystem::path Sample(std::string_view name) {
  return std::filesystem::path(MLOS_PLUGINS) / "samples" / ("lib" + std::string(name) + ".so");
}

std::filesystem::path Model(std::string_view name) {
  return std::filesystem::path(MLOS_MODELS) / (std::string(name) + ".onnx");
}

std::shared_ptr<PluginEngine> MustLoad(const std::filesystem::path& path,
                                       const PluginOptions& options) {
  auto engine = LoadPlugin(path, options);
  if (!engine.ok()) Give("cannot load the plugin", engine.status());
  return std::move(engine).value();
}

std::unique_ptr<engine::LoadedModel> MustLoadModel(PluginEngine& engine, std::string_view id,
                                                   const std::filesystem::path& path,
                                                   std::string_view digest) {
  auto model = engine.Load(
      {.model_id = std::string(id), .path = path, .format = "test", .digest = std::string(digest)});
  if (!model.ok()) Give("cannot load the model", model.status());
  return std::move(model).value();
}

double MetricOf(const PluginEngine& engine, std::string_view name) {
  for (const engine::Gauge& metric : engine.gauges()) {
    if (metric.name == name) return metric.value;
  }
  return -1;
}

tensor::Tensor Floats(const std::vector<float>& values) {
  return Floats(values, {static_cast<std::int64_t>(values.size())});
}

tensor::Tensor Floats(const std::vector<float>& values, const tensor::Shape& shape) {
  return MakeTensor(tensor::DType::kFloat32, values, shape);
}

tensor::Tensor Int64s(const std::vector<std::int64_t>& values) {
  return MakeTensor(tensor::DType::kInt64, values, {static_cast<std::int64_t>(values.size())});
}

tensor::Tensor Strings(const std::vector<std::string>& values, const tensor::Shape& shape) {
  tensor::StringTensorBuilder builder;
  for (const std::string& value : values) builder.Add(value);
  return builder.Build(shape).value();
}

std::vector<float> FloatsOf(const tensor::Tensor& tensor) {
  const auto elements = tensor.elements<float>();
  return {elements.begin(), elements.end()};
}

std::vector<std::string> StringsOf(const tensor::Tensor& tensor) {
  std::vector<std::string> strings;
  for (const auto& element : tensor.elements<tensor::StringRef>()) {
    strings.emplace_back(element.view());
  }
  return strings;
}

engine::InferenceRequest Request(std::string_view name, tensor::Tensor tensor) {
  engine::InferenceRequest request;
  request.inputs.push_back({std::string(name), std::move(tensor)});
  return request;
}

engine::InferenceRequest Request(std::string_view name, tensor::Tensor tensor,
                                 std::string_view second_name, tensor::Tensor second) {
  engine::InferenceRequest request = Request(name, std::move(tensor));
  request.inputs.push_back({std::string(second_name), std::move(second)});
  return request;
}

bool IsMapped(std::string_view file_name) {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.find(file_name) != std::string::npos) return true;
  }
  return false;
}

}  // namespace mlos::plugin
