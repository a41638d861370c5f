// SPDX-License-Identifier: MIT
#pragma once

// The Model Package Format's manifest.yaml describes a model, its files, and the file that is
// executed. It has the fields of the existing Axon tool's format (apiVersion axon.mlos.io/v1) and
// one block of our own, `x-mlos`, which names the source of the files and makes their digests
// binding.

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/model_id.h"
#include "base/result.h"
#include "package/digest.h"
#include "settings/model_settings.h"

namespace mlos::package {

inline constexpr std::string_view kManifestFileName = "manifest.yaml";
/// The existing tool's note of when a model was installed; never part of a package.
inline constexpr std::string_view kInstallRecordFileName = ".axon_metadata.json";
inline constexpr std::string_view kApiVersion = "axon.mlos.io/v1";
inline constexpr std::size_t kManifestBytesMax = std::size_t{1} << 20;

struct Author {
  std::string name;
  std::string email;
  std::string organization;
  bool operator==(const Author&) const = default;
};

struct Metadata {
  std::string name;
  std::string name_space;
  std::string version;
  std::string description;
  std::vector<Author> authors;
  std::string license;
  std::string homepage;
  std::string documentation;
  /// RFC 3339.
  std::string created;
  std::string updated;
  std::vector<std::string> tags;
  bool operator==(const Metadata&) const = default;
};

/// A name with a version: a framework, a package or a model depended on.
struct NamedVersion {
  std::string name;
  std::string version;
  bool operator==(const NamedVersion&) const = default;
};

/// A file of the package. The existing tool writes size 0 and an empty sha256.
struct FileEntry {
  std::string path;
  std::uint64_t size_bytes = 0;
  std::optional<Digest> sha256;
  bool operator==(const FileEntry&) const = default;
};

/// A file that an engine opens. `format`: onnx, gguf, tflite, coreml; `type`: single, encoder,
/// decoder, text_encoder, vision_encoder.
struct ExecutionFile {
  std::string path;
  std::string format;
  std::string type;
  bool operator==(const ExecutionFile&) const = default;
};

struct Format {
  /// The framework that made the files: pytorch, safetensors, onnx, …
  std::string type;
  /// The format in which they are executed; picks the plugin.
  std::string execution_format;
  /// Empty, or one of clip, seq2seq, encoder-decoder, multi-encoder.
  std::string multi_encoder;
  std::vector<FileEntry> files;
  std::vector<ExecutionFile> execution_files;
  bool operator==(const Format&) const = default;
};

struct PreprocessingConfig {
  std::vector<double> mean;
  std::vector<double> std;
  std::vector<std::int64_t> resize;
  bool operator==(const PreprocessingConfig&) const = default;
};

struct Preprocessing {
  std::string type;
  std::string tokenizer;
  std::string tokenizer_type;
  PreprocessingConfig config;
  bool operator==(const Preprocessing&) const = default;
};

struct IoTensor {
  std::string name;
  /// numpy's name ("float32").
  std::string dtype;
  /// -1 for a size that the data decides; absent if even the rank is unknown.
  std::optional<std::vector<std::int64_t>> shape;
  std::string description;
  std::optional<Preprocessing> preprocessing;
  bool operator==(const IoTensor&) const = default;
};

struct Io {
  std::vector<IoTensor> inputs;
  std::vector<IoTensor> outputs;
  bool operator==(const Io&) const = default;
};

/// The model's requirements of a machine; 0 if it names none.
struct Requirements {
  std::int64_t cpu_min_cores = 0;
  std::int64_t cpu_recommended_cores = 0;
  double memory_min_gb = 0;
  double memory_recommended_gb = 0;
  bool gpu_required = false;
  bool gpu_recommended = false;
  double gpu_min_vram_gb = 0;
  std::string gpu_cuda_version;
  double storage_min_gb = 0;
  double storage_recommended_gb = 0;
  bool operator==(const Requirements&) const = default;
};

/// Measured values, as text by name ("cpu": "12 ms").
struct Performance {
  std::map<std::string, std::string> inference_time;
  std::map<std::string, std::string> throughput;
  std::map<std::string, std::string> accuracy;
  std::string dataset;
  bool operator==(const Performance&) const = default;
};

struct Dependencies {
  std::vector<NamedVersion> models;
  std::vector<NamedVersion> packages;
  bool operator==(const Dependencies&) const = default;
};

struct Distribution {
  std::string package_url;
  std::uint64_t package_size_bytes = 0;
  std::optional<Digest> package_sha256;
  std::vector<std::string> package_mirrors;
  std::string registry_url;
  std::string registry_namespace;
  bool operator==(const Distribution&) const = default;
};

/// The source of the files.
struct Source {
  /// "huggingface", "file", …
  std::string hub;
  std::string repository;
  /// The requested revision ("main").
  std::string revision;
  /// The commit that it resolved to.
  std::string commit;
  bool operator==(const Source&) const = default;
};

/// Our own block. Its presence makes a manifest strict: every file listed with size and digest, no
/// file beside them, no key that this reader does not know.
struct Extension {
  /// The program that wrote the manifest ("axon 1.0.0").
  std::string generator;
  Source source;
  /// The graph file that was picked; empty if the format has none or none was picked.
  std::string graph;
  /// True if the source published the digests; false if they were computed at import.
  bool verified = false;
  bool operator==(const Extension&) const = default;
};

struct Manifest {
  std::string api_version = std::string(kApiVersion);
  std::string kind = "Model";
  Metadata metadata;
  NamedVersion framework;
  Format format;
  Io io;
  Requirements requirements;
  Performance performance;
  Dependencies dependencies;
  /// How it is to be served where its registration does not say; an addition of ours to the format.
  settings::ModelSettings serving;
  Distribution distribution;
  std::optional<Extension> extension;

  /// Made by MLOS: checked to the letter.
  bool strict() const { return extension.has_value(); }
  /// False for every manifest of the existing tool.
  bool verified() const { return extension.has_value() && extension->verified; }
  bool operator==(const Manifest&) const = default;
};

/// A manifest and the faults that the reader tolerated; a strict manifest has no warnings.
struct ParsedManifest {
  Manifest manifest;
  /// "line 12: spec.format.colour is not a field of the format".
  std::vector<std::string> warnings;
};

/// Reads a manifest from untrusted text: block or flow YAML, or the existing tool's JSON with
/// capitalised keys. INVALID_MANIFEST with line and field for anything malformed, unsafe or out of
/// bounds; checked by CheckManifest.
Result<ParsedManifest> ParseManifest(std::string_view text);

/// ParseManifest of a regular file of at most kManifestBytesMax.
Result<ParsedManifest> ReadManifest(const std::filesystem::path& path);

/// Checks the rules between fields: paths are relative and distinct, and in a strict manifest every
/// file has a digest, the graph and execution files are listed, and the name is a model id.
/// INVALID_MANIFEST names the field.
Status CheckManifest(const Manifest& manifest);

/// Block YAML that ParseManifest reads back as an equal manifest. Fields that are empty or 0 are
/// left out, except a file's size and sha256.
std::string WriteManifest(const Manifest& manifest);

/// "namespace/name@version". INVALID_MODEL_ID if the existing tool's names do not fit.
Result<ModelId> ModelIdOf(const Manifest& manifest);

}  // namespace mlos::package
