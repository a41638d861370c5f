// SPDX-License-Identifier: MIT
#include <algorithm>
#include <unordered_set>

#include "base/files.h"
#include "base/text.h"
#include "package/manifest.h"
#include "settings/table.h"

namespace mlos::package {
namespace {

Status Invalid(std::string_view field, std::string_view problem) {
  return Status(Reason::kInvalidManifest, std::string(field) + ": " + std::string(problem))
      .WithField(field);
}

std::string Element(std::string_view list, std::size_t index) {
  return std::string(list) + "[" + std::to_string(index) + "]";
}

Status CheckHeader(const Manifest& manifest) {
  if (manifest.api_version != kApiVersion && manifest.api_version != "v1") {
    return Invalid("apiVersion",
                   "expected axon.mlos.io/v1 or v1, got '" + Excerpt(manifest.api_version) + "'");
  }
  if (manifest.kind == "Model") return OkStatus();
  return Invalid("kind", "expected Model, got '" + Excerpt(manifest.kind) + "'");
}

Status CheckPath(const std::string& field, const std::string& path) {
  if (IsSafeRelativePath(path)) return OkStatus();
  return Invalid(field, "'" + Excerpt(path) + "' is not a plain relative path");
}

Status CheckMultiEncoder(const std::string& value) {
  constexpr std::string_view kKnown[] = {"", "clip", "seq2seq", "encoder-decoder", "multi-encoder"};
  if (std::find(std::begin(kKnown), std::end(kKnown), value) != std::end(kKnown)) return OkStatus();
  return Invalid(
      "spec.format.multi_encoder",
      "expected clip, seq2seq, encoder-decoder or multi-encoder, got '" + Excerpt(value) + "'");
}

/// Paths plain and distinct, and none both a file and the folder of another.
template <typename Entry>
Status CheckPaths(std::string_view field, const std::vector<Entry>& entries) {
  std::unordered_set<std::string_view> paths;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::string& path = entries[i].path;
    MLOS_TRY(CheckPath(Element(field, i) + ".path", path));
    if (!paths.insert(path).second) {
      return Invalid(Element(field, i) + ".path", "'" + Excerpt(path) + "' is listed twice");
    }
  }
  for (const std::string_view path : paths) {
    for (std::size_t slash = path.find('/'); slash != path.npos;
         slash = path.find('/', slash + 1)) {
      if (!paths.contains(path.substr(0, slash))) continue;
      return Invalid(field, "'" + Excerpt(path) + "' lies below another file");
    }
  }
  return OkStatus();
}

/// Checks the guarantees of a strict manifest for every file.
Status CheckFileEntries(const std::vector<FileEntry>& files) {
  for (std::size_t i = 0; i < files.size(); ++i) {
    const std::string field = Element("spec.format.files", i);
    if (!files[i].sha256) return Invalid(field + ".sha256", "is missing");
    if (files[i].path == kManifestFileName || files[i].path == kInstallRecordFileName) {
      return Invalid(field + ".path", "'" + files[i].path + "' does not list itself");
    }
  }
  return OkStatus();
}

Status CheckExecutionFiles(const Format& format, const std::string& graph) {
  std::unordered_set<std::string_view> listed;
  for (const FileEntry& file : format.files) listed.insert(file.path);
  for (std::size_t i = 0; i < format.execution_files.size(); ++i) {
    if (listed.contains(format.execution_files[i].path)) continue;
    return Invalid(Element("spec.format.execution_files", i) + ".path",
                   "is not among spec.format.files");
  }
  if (graph.empty() || listed.contains(graph)) return OkStatus();
  return Invalid("x-mlos.graph", "'" + Excerpt(graph) + "' is not among spec.format.files");
}

Status CheckStrict(const Manifest& manifest) {
  if (manifest.api_version != kApiVersion) {
    return Invalid("apiVersion", "a manifest with x-mlos has axon.mlos.io/v1");
  }
  const auto id = ModelIdOf(manifest);
  if (!id.ok()) return Invalid("metadata.name", id.status().message());
  if (manifest.format.execution_format.empty()) {
    return Invalid("spec.format.execution_format", "is missing");
  }
  if (manifest.format.files.empty()) return Invalid("spec.format.files", "is empty");
  MLOS_TRY(CheckFileEntries(manifest.format.files));
  return CheckExecutionFiles(manifest.format, manifest.extension->graph);
}

Status CheckServing(const settings::ModelSettings& serving) {
  Status checked = settings::Check(serving);
  if (checked.ok()) return checked;
  return Invalid("spec.serving." + std::string(checked.field()), checked.message());
}

}  // namespace

Status CheckManifest(const Manifest& manifest) {
  MLOS_TRY(CheckHeader(manifest));
  MLOS_TRY(CheckMultiEncoder(manifest.format.multi_encoder));
  MLOS_TRY(CheckPaths("spec.format.files", manifest.format.files));
  MLOS_TRY(CheckPaths("spec.format.execution_files", manifest.format.execution_files));
  MLOS_TRY(CheckServing(manifest.serving));
  return manifest.strict() ? CheckStrict(manifest) : OkStatus();
}

Result<ModelId> ModelIdOf(const Manifest& manifest) {
  const Metadata& metadata = manifest.metadata;
  return ModelId::Parse(metadata.name_space + "/" + metadata.name + "@" + metadata.version);
}

}  // namespace mlos::package
