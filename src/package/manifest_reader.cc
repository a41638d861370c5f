// SPDX-License-Identifier: MIT
#include <limits>
#include <utility>

#include "base/files.h"
#include "package/manifest.h"
#include "package/yaml/fields.h"
#include "settings/table.h"

namespace mlos::package {
namespace {

using yaml::Fields;

constexpr std::string_view kExtensionKey = "x-mlos";
constexpr std::int64_t kSizeMax = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kCoresMax = 1 << 20;
constexpr double kGigabytesMax = 1e9;

Author ReadAuthor(Fields& fields) {
  return {.name = fields.String("name"),
          .email = fields.String("email"),
          .organization = fields.String("organization")};
}

Metadata ReadMetadata(Fields& fields) {
  Metadata metadata;
  metadata.name = fields.RequiredString("name");
  metadata.name_space = fields.RequiredString("namespace");
  metadata.version = fields.RequiredString("version");
  metadata.description = fields.String("description", yaml::kTextBytesMax);
  fields.Sequence(
      "authors", [&](Fields& author) { metadata.authors.push_back(ReadAuthor(author)); },
      [&](const std::string& name) { metadata.authors.push_back({.name = name}); });
  metadata.license = fields.String("license");
  metadata.homepage = fields.String("homepage");
  metadata.documentation = fields.String("documentation");
  metadata.created = fields.String("created");
  metadata.updated = fields.String("updated");
  metadata.tags = fields.Strings("tags");
  return metadata;
}

NamedVersion ReadNamedVersion(Fields& fields) {
  return {.name = fields.String("name"), .version = fields.String("version")};
}

/// The existing tool writes "" if it has no digest.
std::optional<Digest> ReadDigest(Fields& fields, std::string_view key) {
  const std::string text = fields.String(key);
  if (text.empty()) return std::nullopt;
  const auto digest = text.starts_with("sha256:") ? Digest::Parse(text) : Digest::ParseHex(text);
  if (digest.ok()) return *digest;
  fields.Fail(key, digest.status().message());
  return std::nullopt;
}

FileEntry ReadFileEntry(Fields& fields) {
  FileEntry file;
  file.path = fields.RequiredString("path");
  file.size_bytes = static_cast<std::uint64_t>(fields.Integer("size", 0, kSizeMax));
  file.sha256 = ReadDigest(fields, "sha256");
  return file;
}

ExecutionFile ReadExecutionFile(Fields& fields) {
  return {.path = fields.RequiredString("path"),
          .format = fields.String("format"),
          .type = fields.String("type")};
}

Format ReadFormat(Fields& fields) {
  Format format;
  format.type = fields.String("type");
  format.execution_format = fields.String("execution_format");
  format.multi_encoder = fields.String("multi_encoder");
  fields.Sequence("files", [&](Fields& file) { format.files.push_back(ReadFileEntry(file)); });
  fields.Sequence("execution_files",
                  [&](Fields& file) { format.execution_files.push_back(ReadExecutionFile(file)); });
  return format;
}

PreprocessingConfig ReadPreprocessingConfig(Fields& fields) {
  constexpr std::int64_t kPixelsMax = 1 << 30;
  return {.mean = fields.Numbers("mean"),
          .std = fields.Numbers("std"),
          .resize = fields.Integers("resize", 0, kPixelsMax).value_or(std::vector<std::int64_t>())};
}

Preprocessing ReadPreprocessing(Fields& fields) {
  Preprocessing preprocessing;
  preprocessing.type = fields.String("type");
  preprocessing.tokenizer = fields.String("tokenizer");
  preprocessing.tokenizer_type = fields.String("tokenizer_type");
  fields.Map("config",
             [&](Fields& config) { preprocessing.config = ReadPreprocessingConfig(config); });
  return preprocessing;
}

IoTensor ReadIoTensor(Fields& fields) {
  IoTensor tensor;
  tensor.name = fields.RequiredString("name");
  tensor.dtype = fields.RequiredString("dtype");
  tensor.shape = fields.Integers("shape", -1, kSizeMax);
  tensor.description = fields.String("description", yaml::kTextBytesMax);
  fields.Map("preprocessing", [&](Fields& map) { tensor.preprocessing = ReadPreprocessing(map); });
  return tensor;
}

Io ReadIo(Fields& fields) {
  Io io;
  fields.Sequence("inputs", [&](Fields& tensor) { io.inputs.push_back(ReadIoTensor(tensor)); });
  fields.Sequence("outputs", [&](Fields& tensor) { io.outputs.push_back(ReadIoTensor(tensor)); });
  return io;
}

void ReadCompute(Fields& fields, Requirements& wanted) {
  fields.Map("cpu", [&](Fields& cpu) {
    wanted.cpu_min_cores = cpu.Integer("min_cores", 0, kCoresMax);
    wanted.cpu_recommended_cores = cpu.Integer("recommended_cores", 0, kCoresMax);
  });
  fields.Map("memory", [&](Fields& memory) {
    wanted.memory_min_gb = memory.Number("min_gb", 0, kGigabytesMax);
    wanted.memory_recommended_gb = memory.Number("recommended_gb", 0, kGigabytesMax);
  });
  fields.Map("gpu", [&](Fields& gpu) {
    wanted.gpu_required = gpu.Bool("required");
    wanted.gpu_recommended = gpu.Bool("recommended");
    wanted.gpu_min_vram_gb = gpu.Number("min_vram_gb", 0, kGigabytesMax);
    wanted.gpu_cuda_version = gpu.String("cuda_version");
  });
}

Requirements ReadRequirements(Fields& fields) {
  Requirements wanted;
  fields.Map("compute", [&](Fields& compute) { ReadCompute(compute, wanted); });
  fields.Map("storage", [&](Fields& storage) {
    wanted.storage_min_gb = storage.Number("min_gb", 0, kGigabytesMax);
    wanted.storage_recommended_gb = storage.Number("recommended_gb", 0, kGigabytesMax);
  });
  return wanted;
}

Performance ReadPerformance(Fields& fields) {
  return {.inference_time = fields.StringMap("inference_time"),
          .throughput = fields.StringMap("throughput"),
          .accuracy = fields.StringMap("accuracy"),
          .dataset = fields.String("dataset")};
}

std::vector<NamedVersion> ReadNamedVersions(Fields& fields, std::string_view key) {
  std::vector<NamedVersion> list;
  fields.Sequence(
      key, [&](Fields& entry) { list.push_back(ReadNamedVersion(entry)); },
      [&](const std::string& name) { list.push_back({.name = name}); });
  return list;
}

Distribution ReadDistribution(Fields& fields) {
  Distribution distribution;
  fields.Map("package", [&](Fields& package) {
    distribution.package_url = package.String("url");
    distribution.package_size_bytes =
        static_cast<std::uint64_t>(package.Integer("size", 0, kSizeMax));
    distribution.package_sha256 = ReadDigest(package, "sha256");
    distribution.package_mirrors = package.Strings("mirrors");
  });
  fields.Map("registry", [&](Fields& registry) {
    distribution.registry_url = registry.String("url");
    distribution.registry_namespace = registry.String("namespace");
  });
  return distribution;
}

Extension ReadExtension(Fields& fields) {
  Extension extension;
  extension.generator = fields.RequiredString("generator");
  fields.Map("source", [&](Fields& source) {
    extension.source = {.hub = source.String("hub"),
                        .repository = source.String("repository"),
                        .revision = source.String("revision"),
                        .commit = source.String("commit")};
  });
  extension.graph = fields.String("graph");
  extension.verified = fields.Bool("verified");
  return extension;
}

/// Reads each setting from the field of its name; CheckManifest bounds all but the numbers.
struct SettingReader {
  Fields& fields;

  void operator()(const settings::Setting& setting, settings::Integer& value) const {
    value = fields.OptionalInteger(setting.name, setting.range.min, setting.range.max);
  }
  void operator()(const settings::Setting& setting, settings::TextMap& value) const {
    value = fields.StringMap(setting.name);
  }
  void operator()(const settings::Setting& setting, settings::JsonObject& value) const {
    value.text = fields.Object(setting.name);
  }
};

void ReadSpec(Fields& spec, Manifest& manifest) {
  spec.Map("framework", [&](Fields& map) { manifest.framework = ReadNamedVersion(map); });
  spec.Map("format", [&](Fields& map) { manifest.format = ReadFormat(map); });
  spec.Map("io", [&](Fields& map) { manifest.io = ReadIo(map); });
  spec.Map("requirements", [&](Fields& map) { manifest.requirements = ReadRequirements(map); });
  spec.Map("performance", [&](Fields& map) { manifest.performance = ReadPerformance(map); });
  spec.Map("dependencies", [&](Fields& map) {
    manifest.dependencies = {.models = ReadNamedVersions(map, "models"),
                             .packages = ReadNamedVersions(map, "packages")};
  });
  spec.Map("serving",
           [&](Fields& map) { settings::ForEach(manifest.serving, SettingReader{map}); });
}

Manifest ReadDocument(Fields& root) {
  Manifest manifest;
  manifest.api_version = root.RequiredString("apiVersion");
  manifest.kind = root.RequiredString("kind");
  if (!root.Map("metadata", [&](Fields& map) { manifest.metadata = ReadMetadata(map); })) {
    root.Fail("metadata", "is missing");
  }
  if (!root.Map("spec", [&](Fields& spec) { ReadSpec(spec, manifest); })) {
    root.Fail("spec", "is missing");
  }
  root.Map("distribution", [&](Fields& map) { manifest.distribution = ReadDistribution(map); });
  root.Map(kExtensionKey, [&](Fields& map) { manifest.extension = ReadExtension(map); });
  root.Finish();
  return manifest;
}

/// Our block decides how the rest is read, so it is looked for first.
yaml::Reading::Style StyleOf(const yaml::Node& root) {
  yaml::Reading::Style style{.reason = Reason::kInvalidManifest, .strict = false};
  for (const std::string& key : root.keys) style.strict |= key == kExtensionKey;
  style.fold_keys = root.flow && !style.strict;
  return style;
}

}  // namespace

Result<ParsedManifest> ParseManifest(std::string_view text) {
  const yaml::Node root = MLOS_TRY(yaml::Parse(
      text, {.reason = Reason::kInvalidManifest, .bytes_max = kManifestBytesMax, .depth_max = 32}));
  yaml::Reading reading(StyleOf(root));
  Fields fields(reading, root, "");
  Manifest manifest = ReadDocument(fields);
  if (!reading.ok()) return reading.error();
  MLOS_TRY(CheckManifest(manifest));
  return ParsedManifest{std::move(manifest), reading.warnings()};
}

Result<ParsedManifest> ReadManifest(const std::filesystem::path& path) {
  auto text = ReadFile(path, kManifestBytesMax);
  if (text.ok()) return ParseManifest(*text);
  if (text.status().reason() != Reason::kPayloadTooLarge) return std::move(text).status();
  return Status(Reason::kInvalidManifest, std::string(text.status().message()));
}

}  // namespace mlos::package
