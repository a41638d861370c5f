// SPDX-License-Identifier: MIT
#include "axon/install/describe.h"

#include <algorithm>
#include <cmath>

#include "axon/ui/json_writer.h"
#include "base/clock.h"
#include "tensor/dtype.h"

namespace axon::install {
namespace {

namespace package = mlos::package;
using package::FileEntry;
using package::IoTensor;
using package::Manifest;
using package::onnx::Model;
using package::onnx::Value;
using package::onnx::ValueKind;

/// Manifests count in billions of bytes; rounded up, so that the figure is never too small.
double Gigabytes(std::uint64_t size_bytes) {
  return std::ceil(static_cast<double>(size_bytes) / 1e7) / 100;
}

IoTensor IoTensorOf(const Value& value) {
  IoTensor tensor{.name = value.spec.name};
  const bool is_tensor = value.kind == ValueKind::kTensor || value.kind == ValueKind::kSparseTensor;
  tensor.dtype = is_tensor ? mlos::tensor::Name(value.spec.dtype) : ToString(value.kind);
  if (!is_tensor || !value.spec.has_shape) return tensor;
  tensor.shape.emplace();
  for (const mlos::tensor::Dim& dim : value.spec.dims) tensor.shape->push_back(dim.size);
  return tensor;
}

std::uint64_t Total(const std::vector<FileEntry>& files) {
  std::uint64_t total = 0;
  for (const FileEntry& file : files) total += file.size_bytes;
  return total;
}

package::Metadata MetadataOf(const Plan& plan) {
  package::Metadata metadata;
  metadata.name_space = plan.id.name_space();
  metadata.name = plan.id.name();
  metadata.version = plan.id.version();
  metadata.description = plan.remote.description;
  metadata.license = plan.remote.license.empty() ? "unknown" : plan.remote.license;
  metadata.homepage = plan.remote.homepage;
  metadata.tags = plan.remote.tags;
  return metadata;
}

}  // namespace

std::string Generator() { return "axon " AXON_VERSION; }

package::Io IoOf(const Model& graph) {
  package::Io io;
  for (const Value& value : graph.inputs) io.inputs.push_back(IoTensorOf(value));
  for (const Value& value : graph.outputs) io.outputs.push_back(IoTensorOf(value));
  return io;
}

package::Requirements RequirementsOf(const Model& graph, const std::vector<FileEntry>& files,
                                     std::uint64_t executed_bytes) {
  const std::uint64_t memory_bytes = std::max(executed_bytes, graph.tensor_bytes);
  package::Requirements requirements;
  requirements.cpu_min_cores = 1;
  requirements.memory_min_gb = Gigabytes(memory_bytes);
  requirements.memory_recommended_gb = Gigabytes(2 * memory_bytes);
  requirements.storage_min_gb = Gigabytes(Total(files));
  return requirements;
}

Manifest Describe(const Plan& plan, const Model& graph, std::vector<FileEntry> files,
                  const std::vector<std::string>& weights) {
  std::uint64_t executed_bytes = 0;
  for (const FileEntry& file : files) {
    const bool executed = file.path == plan.graph.path ||
                          std::find(weights.begin(), weights.end(), file.path) != weights.end();
    if (executed) executed_bytes += file.size_bytes;
  }
  Manifest manifest;
  manifest.metadata = MetadataOf(plan);
  manifest.framework = {.name = "ONNX"};
  manifest.format.type = "onnx";
  manifest.format.execution_format = "onnx";
  manifest.format.execution_files = {{plan.graph.path, "onnx", "single"}};
  manifest.io = IoOf(graph);
  manifest.requirements = RequirementsOf(graph, files, executed_bytes);
  manifest.format.files = std::move(files);
  manifest.extension = package::Extension{.generator = Generator(),
                                          .source = {.hub = plan.remote.hub,
                                                     .repository = plan.remote.repository,
                                                     .revision = plan.remote.revision,
                                                     .commit = plan.remote.commit},
                                          .graph = plan.graph.path,
                                          .verified = true};
  return manifest;
}

std::string InstallRecord(const mlos::ModelId& id) {
  ui::JsonWriter record;
  record.BeginObject()
      .Field("installed_at", mlos::Rfc3339(mlos::UnixSecondsNow()))
      .Field("namespace", id.name_space())
      .Field("name", id.name())
      .Field("version", id.version())
      .EndObject();
  return std::string(record.text()) + "\n";
}

}  // namespace axon::install
