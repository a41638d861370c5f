// SPDX-License-Identifier: MIT
#include <simdjson.h>
#include <yaml-cpp/emitter.h>
#include <yaml-cpp/emittermanip.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

#include "package/manifest.h"
#include "settings/table.h"

namespace mlos::package {
namespace {

bool IsWordByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_-./@+").find(c) != std::string_view::npos;
}

/// Words that some YAML reader takes for a boolean, null or number.
bool IsAmbiguous(std::string word) {
  constexpr std::string_view kWords[] = {"y",    "n",     "yes",  "no",  "on", "off",
                                         "true", "false", "null", "nan", "inf"};
  std::transform(word.begin(), word.end(), word.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::find(std::begin(kWords), std::end(kWords), word) != std::end(kWords);
}

/// Safe to write without quotes for every reader: a word that starts with a letter.
bool IsPlainWord(const std::string& text) {
  if (text.empty() || !std::isalpha(static_cast<unsigned char>(text.front()))) return false;
  return std::all_of(text.begin(), text.end(), IsWordByte) && !IsAmbiguous(text);
}

/// The reader refuses control characters, so none may be written.
std::string WithoutControls(std::string text) {
  for (char& c : text) {
    const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    if (control && c != '\n' && c != '\t' && c != '\r') c = ' ';
  }
  return text;
}

std::string Shortest(double number) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  return {text.data(), end};
}

/// Emits the fields of a manifest without the empty ones.
class ManifestEmitter {
 public:
  std::string Write(const Manifest& manifest);

 private:
  void Scalar(const std::string& text) {
    if (!IsPlainWord(text)) out_ << YAML::DoubleQuoted;
    out_ << WithoutControls(text);
  }
  void Key(std::string_view key) { out_ << YAML::Key << std::string(key) << YAML::Value; }

  void Text(std::string_view key, const std::string& text) {
    if (text.empty()) return;
    Key(key);
    Scalar(text);
  }
  void Size(std::string_view key, std::uint64_t size) {
    Key(key);
    out_ << size;
  }
  void Count(std::string_view key, std::int64_t count) {
    if (count == 0) return;
    Key(key);
    out_ << count;
  }
  void Number(std::string_view key, double number) {
    if (number == 0) return;
    Key(key);
    out_ << Shortest(number);
  }
  void Bool(std::string_view key, bool value) {
    Key(key);
    out_ << (value ? "true" : "false");
  }
  void Sha256(std::string_view key, const std::optional<Digest>& digest) {
    Key(key);
    out_ << YAML::DoubleQuoted << (digest ? digest->Hex() : std::string());
  }
  void Texts(std::string_view key, const std::vector<std::string>& texts);
  void TextMap(std::string_view key, const std::map<std::string, std::string>& texts);
  template <typename Value>
  void Numbers(std::string_view key, const std::vector<Value>& numbers);

  /// A nested map that `write` fills.
  template <typename Write>
  void Map(std::string_view key, const Write& write) {
    Key(key);
    out_ << YAML::BeginMap;
    write();
    out_ << YAML::EndMap;
  }
  /// A list of maps, each filled by `write(element)`; nothing for an empty list.
  template <typename Element, typename Write>
  void List(std::string_view key, const std::vector<Element>& elements, const Write& write) {
    if (elements.empty()) return;
    Key(key);
    out_ << YAML::BeginSeq;
    for (const Element& element : elements) {
      out_ << YAML::BeginMap;
      write(element);
      out_ << YAML::EndMap;
    }
    out_ << YAML::EndSeq;
  }

  void WriteMetadata(const Metadata& metadata);
  void WriteNamedVersion(const NamedVersion& named);
  void WriteFormat(const Format& format);
  void WriteIoTensor(const IoTensor& tensor);
  void WriteIo(const Io& io);
  void WritePreprocessing(const Preprocessing& preprocessing);
  void WriteRequirements(const Requirements& wanted);
  void WritePerformance(const Performance& performance);
  void WriteDependencies(const Dependencies& dependencies);
  void WriteDistribution(const Distribution& distribution);
  void WriteServing(const settings::ModelSettings& serving);
  void WriteJson(const simdjson::dom::element& value);
  void WriteExtension(const Extension& extension);
  void WriteSpec(const Manifest& manifest);

  YAML::Emitter out_;
};

void ManifestEmitter::Texts(std::string_view key, const std::vector<std::string>& texts) {
  if (texts.empty()) return;
  Key(key);
  out_ << YAML::BeginSeq;
  for (const std::string& text : texts) Scalar(text);
  out_ << YAML::EndSeq;
}

void ManifestEmitter::TextMap(std::string_view key,
                              const std::map<std::string, std::string>& texts) {
  if (texts.empty()) return;
  Key(key);
  out_ << YAML::BeginMap;
  for (const auto& [name, text] : texts) {
    out_ << YAML::Key;
    Scalar(name);
    out_ << YAML::Value;
    Scalar(text);
  }
  out_ << YAML::EndMap;
}

template <typename Value>
void ManifestEmitter::Numbers(std::string_view key, const std::vector<Value>& numbers) {
  Key(key);
  out_ << YAML::Flow << YAML::BeginSeq;
  for (const Value number : numbers) {
    if constexpr (std::is_floating_point_v<Value>) {
      out_ << Shortest(number);
    } else {
      out_ << number;
    }
  }
  out_ << YAML::EndSeq;
}

void ManifestEmitter::WriteMetadata(const Metadata& metadata) {
  Text("name", metadata.name);
  Text("namespace", metadata.name_space);
  Text("version", metadata.version);
  Text("description", metadata.description);
  List("authors", metadata.authors, [&](const Author& author) {
    Text("name", author.name);
    Text("email", author.email);
    Text("organization", author.organization);
  });
  Text("license", metadata.license);
  Text("homepage", metadata.homepage);
  Text("documentation", metadata.documentation);
  Text("created", metadata.created);
  Text("updated", metadata.updated);
  Texts("tags", metadata.tags);
}

void ManifestEmitter::WriteNamedVersion(const NamedVersion& named) {
  Text("name", named.name);
  Text("version", named.version);
}

void ManifestEmitter::WriteFormat(const Format& format) {
  Text("type", format.type);
  Text("execution_format", format.execution_format);
  Text("multi_encoder", format.multi_encoder);
  List("files", format.files, [&](const FileEntry& file) {
    Text("path", file.path);
    Size("size", file.size_bytes);
    Sha256("sha256", file.sha256);
  });
  List("execution_files", format.execution_files, [&](const ExecutionFile& file) {
    Text("path", file.path);
    Text("format", file.format);
    Text("type", file.type);
  });
}

void ManifestEmitter::WriteIoTensor(const IoTensor& tensor) {
  Text("name", tensor.name);
  Text("dtype", tensor.dtype);
  if (tensor.shape) Numbers("shape", *tensor.shape);
  Text("description", tensor.description);
  if (!tensor.preprocessing) return;
  Map("preprocessing", [&] { WritePreprocessing(*tensor.preprocessing); });
}

void ManifestEmitter::WritePreprocessing(const Preprocessing& preprocessing) {
  Text("type", preprocessing.type);
  Text("tokenizer", preprocessing.tokenizer);
  Text("tokenizer_type", preprocessing.tokenizer_type);
  const PreprocessingConfig& config = preprocessing.config;
  if (config == PreprocessingConfig{}) return;
  Map("config", [&] {
    if (!config.mean.empty()) Numbers("mean", config.mean);
    if (!config.std.empty()) Numbers("std", config.std);
    if (!config.resize.empty()) Numbers("resize", config.resize);
  });
}

void ManifestEmitter::WriteIo(const Io& io) {
  List("inputs", io.inputs, [&](const IoTensor& tensor) { WriteIoTensor(tensor); });
  List("outputs", io.outputs, [&](const IoTensor& tensor) { WriteIoTensor(tensor); });
}

void ManifestEmitter::WriteRequirements(const Requirements& wanted) {
  Map("compute", [&] {
    Map("cpu", [&] {
      Count("min_cores", wanted.cpu_min_cores);
      Count("recommended_cores", wanted.cpu_recommended_cores);
    });
    Map("memory", [&] {
      Number("min_gb", wanted.memory_min_gb);
      Number("recommended_gb", wanted.memory_recommended_gb);
    });
    Map("gpu", [&] {
      Bool("required", wanted.gpu_required);
      Bool("recommended", wanted.gpu_recommended);
      Number("min_vram_gb", wanted.gpu_min_vram_gb);
      Text("cuda_version", wanted.gpu_cuda_version);
    });
  });
  Map("storage", [&] {
    Number("min_gb", wanted.storage_min_gb);
    Number("recommended_gb", wanted.storage_recommended_gb);
  });
}

void ManifestEmitter::WritePerformance(const Performance& performance) {
  TextMap("inference_time", performance.inference_time);
  TextMap("throughput", performance.throughput);
  TextMap("accuracy", performance.accuracy);
  Text("dataset", performance.dataset);
}

void ManifestEmitter::WriteDependencies(const Dependencies& dependencies) {
  List("models", dependencies.models, [&](const NamedVersion& named) { WriteNamedVersion(named); });
  List("packages", dependencies.packages,
       [&](const NamedVersion& named) { WriteNamedVersion(named); });
}

void ManifestEmitter::WriteDistribution(const Distribution& distribution) {
  Map("package", [&] {
    Text("url", distribution.package_url);
    Size("size", distribution.package_size_bytes);
    Sha256("sha256", distribution.package_sha256);
    Texts("mirrors", distribution.package_mirrors);
  });
  Map("registry", [&] {
    Text("url", distribution.registry_url);
    Text("namespace", distribution.registry_namespace);
  });
}

// In flow style, where what is nested needs no lines of its own. As deep as settings::Check allows.
void ManifestEmitter::WriteJson(const simdjson::dom::element& value) {
  simdjson::dom::object members;
  simdjson::dom::array items;
  std::string_view text;
  if (value.get(members) == simdjson::SUCCESS) {
    out_ << YAML::Flow << YAML::BeginMap;
    for (const auto member : members) {
      out_ << YAML::Key << YAML::DoubleQuoted << std::string(member.key) << YAML::Value;
      WriteJson(member.value);
    }
    out_ << YAML::EndMap;
  } else if (value.get(items) == simdjson::SUCCESS) {
    out_ << YAML::Flow << YAML::BeginSeq;
    for (const simdjson::dom::element item : items) WriteJson(item);
    out_ << YAML::EndSeq;
  } else if (value.get(text) == simdjson::SUCCESS) {
    out_ << YAML::DoubleQuoted << WithoutControls(std::string(text));
  } else if (value.is_null()) {
    out_ << YAML::Null;
  } else {
    out_ << std::string(simdjson::minify(value));  // a number, true or false
  }
}

void ManifestEmitter::WriteServing(const settings::ModelSettings& serving) {
  struct Writer {
    ManifestEmitter& emitter;

    void operator()(const settings::Setting& setting, const settings::Integer& value) const {
      if (!value) return;
      emitter.Key(setting.name);
      emitter.out_ << *value;
    }
    void operator()(const settings::Setting& setting, const settings::TextMap& value) const {
      emitter.TextMap(setting.name, value);
    }
    void operator()(const settings::Setting& setting, const settings::JsonObject& value) const {
      simdjson::dom::parser parser;
      simdjson::dom::element object;
      if (parser.parse(value.text).get(object) != simdjson::SUCCESS) return;
      emitter.Key(setting.name);
      emitter.WriteJson(object);
    }
  };
  settings::ForEach(serving, Writer{*this});
}

void ManifestEmitter::WriteExtension(const Extension& extension) {
  Text("generator", extension.generator);
  Map("source", [&] {
    Text("hub", extension.source.hub);
    Text("repository", extension.source.repository);
    Text("revision", extension.source.revision);
    Text("commit", extension.source.commit);
  });
  Text("graph", extension.graph);
  Bool("verified", extension.verified);
}

void ManifestEmitter::WriteSpec(const Manifest& manifest) {
  if (manifest.framework != NamedVersion{}) {
    Map("framework", [&] { WriteNamedVersion(manifest.framework); });
  }
  Map("format", [&] { WriteFormat(manifest.format); });
  if (manifest.io != Io{}) Map("io", [&] { WriteIo(manifest.io); });
  if (manifest.requirements != Requirements{}) {
    Map("requirements", [&] { WriteRequirements(manifest.requirements); });
  }
  if (manifest.performance != Performance{}) {
    Map("performance", [&] { WritePerformance(manifest.performance); });
  }
  if (manifest.dependencies != Dependencies{}) {
    Map("dependencies", [&] { WriteDependencies(manifest.dependencies); });
  }
  if (manifest.serving != settings::ModelSettings{}) {
    Map("serving", [&] { WriteServing(manifest.serving); });
  }
}

std::string ManifestEmitter::Write(const Manifest& manifest) {
  out_ << YAML::BeginMap;
  Text("apiVersion", manifest.api_version);
  Text("kind", manifest.kind);
  Map("metadata", [&] { WriteMetadata(manifest.metadata); });
  Map("spec", [&] { WriteSpec(manifest); });
  if (manifest.distribution != Distribution{}) {
    Map("distribution", [&] { WriteDistribution(manifest.distribution); });
  }
  if (manifest.extension) Map("x-mlos", [&] { WriteExtension(*manifest.extension); });
  out_ << YAML::EndMap;
  return std::string(out_.c_str()) + "\n";
}

}  // namespace

std::string WriteManifest(const Manifest& manifest) { return ManifestEmitter().Write(manifest); }

}  // namespace mlos::package
