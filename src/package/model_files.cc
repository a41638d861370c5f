// SPDX-License-Identifier: MIT
#include "package/model_files.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "base/path_policy.h"
#include "base/text.h"
#include "package/onnx/model.h"
#include "package/verify.h"

namespace mlos::package {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kOnnx = "onnx";

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

constexpr std::string_view kOnnxExtension = ".onnx";

std::string ExtensionOf(std::string_view path) { return Lower(fs::path(path).extension()); }

bool IsOnnxFile(std::string_view path) { return ExtensionOf(path) == kOnnxExtension; }

std::vector<std::string> OnnxFilesOf(const std::vector<std::string>& paths) {
  std::vector<std::string> graphs;
  std::copy_if(paths.begin(), paths.end(), std::back_inserter(graphs), IsOnnxFile);
  return graphs;
}

/// The only candidate, or a refusal that names them all.
Result<std::string> OnlyOne(const std::vector<std::string>& candidates, std::string_view what) {
  constexpr std::size_t kNamed = 10;
  if (candidates.size() == 1) return candidates.front();
  if (candidates.empty()) {
    return Status(Reason::kUnsupportedModel, "the folder has no " + std::string(what));
  }
  std::string names;
  for (std::size_t i = 0; i < std::min(kNamed, candidates.size()); ++i) {
    names += (i == 0 ? "" : ", ") + Excerpt(candidates[i]);
  }
  if (candidates.size() > kNamed) names += ", …";
  return Status(Reason::kUnsupportedModel, "the folder has " + std::to_string(candidates.size()) +
                                               " of " + std::string(what) + " (" + names +
                                               "); name the one to serve");
}

std::vector<tensor::TensorSpec> SpecsOf(std::vector<onnx::Value> values) {
  std::vector<tensor::TensorSpec> specs;
  specs.reserve(values.size());
  for (onnx::Value& value : values) specs.push_back(std::move(value.spec));
  return specs;
}

/// Takes the names of those that are sequences out of `values`.
std::vector<std::string> TakeSequences(std::vector<onnx::Value>& values) {
  std::vector<std::string> names;
  std::erase_if(values, [&](const onnx::Value& value) {
    if (value.kind != onnx::ValueKind::kSequence) return false;
    names.push_back(value.spec.name);
    return true;
  });
  return names;
}

ModelFacts FactsOf(onnx::Model model) {
  std::vector<std::string> sequences = TakeSequences(model.outputs);
  return {.has_schema = true,
          .inputs = SpecsOf(std::move(model.inputs)),
          .outputs = SpecsOf(std::move(model.outputs)),
          .sequence_outputs = std::move(sequences),
          .whole_batch_operator = std::move(model.whole_batch_operator),
          .inputs_that_may_change = std::move(model.inputs_that_may_change),
          .time_given_by_shapes = model.time_given_by_shapes};
}

/// Finds the files of one model.
class Finder {
 public:
  explicit Finder(const ModelFilesRequest& request)
      : request_(request), open_(request.open ? request.open : &OpenBeneath) {}

  Result<ModelFiles> Find(const fs::path& path) {
    std::error_code error;
    const fs::path real = ResolveLinks(path, error);
    if (!error && !fs::exists(real, error) && !error) {
      error = std::make_error_code(std::errc::no_such_file_or_directory);
    }
    if (error) return ErrnoStatus(error.value(), "cannot find " + path.filename().string());
    if (fs::is_regular_file(real)) {
      MLOS_TRY(FindFile(real));
    } else if (fs::is_directory(real)) {
      MLOS_TRY(FindDirectory(real));
    } else {
      return Status(Reason::kInvalidField,
                    path.filename().string() + " is neither a file nor a folder")
          .WithField("path");
    }
    MLOS_TRY(Accept());
    MLOS_TRY(found_.execution_format == kOnnx ? TakeOnnx() : TakeOpaque());
    return std::move(found_);
  }

 private:
  Status FindFile(const fs::path& file) {
    found_.directory = file.parent_path();
    found_.graph = file.filename();
    if (!request_.manifest.empty()) return ReadAndVerify(request_.manifest);
    found_.execution_format = request_.execution_format;
    if (found_.execution_format.empty()) found_.execution_format = FormatByName(file);
    return OkStatus();
  }

  /// By a known extension, or else the extension itself.
  std::string FormatByName(const fs::path& file) const {
    const std::string suffix = ExtensionOf(file.native());
    if (const FormatExtension* known = FindExtension(suffix)) return known->format;
    return suffix.size() > 1 ? suffix.substr(1) : std::string(kOnnx);
  }

  const FormatExtension* FindExtension(std::string_view suffix) const {
    const auto found =
        std::find_if(request_.extensions.begin(), request_.extensions.end(),
                     [&](const FormatExtension& known) { return known.extension == suffix; });
    return found == request_.extensions.end() || suffix == kOnnxExtension ? nullptr : &*found;
  }

  Status FindDirectory(const fs::path& directory) {
    found_.directory = directory;
    const fs::path manifest =
        request_.manifest.empty() ? directory / kManifestFileName : request_.manifest;
    if (!request_.manifest.empty() || fs::exists(fs::symlink_status(manifest))) {
      MLOS_TRY(ReadAndVerify(manifest));
      return PickByManifest();
    }
    found_.execution_format =
        request_.execution_format.empty() ? kOnnx : std::string_view(request_.execution_format);
    if (!request_.graph.empty()) return TakeRequestedGraph();
    if (found_.execution_format != kOnnx) return OkStatus();
    const std::vector<std::string> paths = MLOS_TRY(ListFiles(directory, open_));
    const std::vector<std::string> graphs = OnnxFilesOf(paths);
    if (graphs.empty() && request_.execution_format.empty()) return PickByExtension(paths);
    return PickAmong(graphs);
  }

  /// Without an ONNX file among `paths`.
  Status PickByExtension(const std::vector<std::string>& paths) {
    std::vector<std::string> models;
    std::copy_if(
        paths.begin(), paths.end(), std::back_inserter(models),
        [&](const std::string& path) { return FindExtension(ExtensionOf(path)) != nullptr; });
    if (models.empty()) return PickAmong({});
    const std::string model = MLOS_TRY(OnlyOne(models, "files whose name is that of a model"));
    found_.found_by_extension = true;
    return FindFile(found_.directory / model);
  }

  Status ReadAndVerify(const fs::path& path) {
    ParsedManifest parsed = MLOS_TRY(ReadNamed(path));
    found_.manifest = std::move(parsed.manifest);
    open_ = &OpenBeneath;
    SetFormatByManifest();
    MLOS_TRY(Accept());
    const FileDigester digester = [this](const fs::path& directory, std::string_view path) {
      return DigestOf(directory, path);
    };
    VerifyReport report = MLOS_TRY(VerifyDirectory(found_.directory, *found_.manifest, digester));
    MLOS_TRY(ToStatus(report));
    found_.warnings = std::move(parsed.warnings);
    for (const FileProblem& problem : report.tolerated) {
      found_.warnings.push_back("'" + Excerpt(problem.path) + "' " + problem.message);
    }
    hashed_ = std::move(report.files);
    return OkStatus();
  }

  /// A manifest that the caller named is the caller's field.
  Result<ParsedManifest> ReadNamed(const fs::path& path) const {
    Result<ParsedManifest> parsed = ReadManifest(path);
    const bool named = path == request_.manifest;
    if (parsed.ok() || !named || !parsed.status().field().empty()) return parsed;
    return std::move(parsed).status().WithField("manifest_path");
  }

  /// Whether a plugin can run the format, which is cheap to ask before all files are hashed.
  Status Accept() const {
    return request_.accepts ? request_.accepts(found_.execution_format) : OkStatus();
  }

  /// The existing tool's older manifests have no execution_format.
  void SetFormatByManifest() {
    const Format& format = found_.manifest->format;
    found_.execution_format = format.execution_format;
    if (found_.execution_format.empty()) found_.execution_format = request_.execution_format;
    if (found_.execution_format.empty() && !format.execution_files.empty()) {
      found_.execution_format = format.execution_files.front().format;
    }
    if (found_.execution_format.empty()) found_.execution_format = kOnnx;
  }

  Status PickByManifest() {
    const Manifest& manifest = *found_.manifest;
    if (!request_.graph.empty()) return TakeRequestedGraph();
    if (manifest.extension && !manifest.extension->graph.empty()) {
      found_.graph = manifest.extension->graph;
      return OkStatus();
    }
    const std::vector<std::string> executed = ExecutionPaths("");
    if (found_.execution_format != kOnnx) {
      if (executed.size() == 1) found_.graph = executed.front();
      return OkStatus();
    }
    const std::vector<std::string> singles = ExecutionPaths("single");
    if (singles.size() == 1) return PickAmong(singles);
    if (!executed.empty()) return PickAmong(executed);
    return PickAmong(OnnxFilesOf(MLOS_TRY(ListFiles(found_.directory, open_))));
  }

  /// Execution files of the format to be served; of one type only, unless that is empty.
  std::vector<std::string> ExecutionPaths(std::string_view type) const {
    std::vector<std::string> paths;
    for (const ExecutionFile& file : found_.manifest->format.execution_files) {
      const bool fits = file.format.empty() || file.format == found_.execution_format;
      if (fits && (type.empty() || file.type == type)) paths.push_back(file.path);
    }
    return paths;
  }

  Status PickAmong(const std::vector<std::string>& candidates) {
    found_.graph = MLOS_TRY(OnlyOne(candidates, ".onnx files"));
    return OkStatus();
  }

  Status TakeRequestedGraph() {
    if (!IsSafeRelativePath(request_.graph)) {
      return Status(Reason::kInvalidField,
                    "'" + Excerpt(request_.graph) + "' is not a plain relative path")
          .WithField("graph");
    }
    found_.graph = request_.graph;
    return OkStatus();
  }

  /// Size and digest of a file, which the verification may have found already.
  Result<FileEntry> Entry(const std::string& path) const {
    const auto known = std::find_if(hashed_.begin(), hashed_.end(),
                                    [&](const FileEntry& file) { return file.path == path; });
    if (known != hashed_.end()) return *known;
    const FileDigest digest = MLOS_TRY(DigestOf(found_.directory, path));
    return FileEntry{path, digest.size_bytes, digest.sha256};
  }

  Result<FileDigest> DigestOf(const fs::path& directory, std::string_view path) const {
    const UniqueFd fd = MLOS_TRY(open_(directory, path));
    return request_.digest ? request_.digest(fd.get(), path) : DigestOpenFile(fd.get(), path);
  }

  Status TakeOnnx() {
    onnx::Model model = MLOS_TRY(onnx::CheckModel(found_.directory, found_.graph, open_));
    found_.files.push_back(MLOS_TRY(Entry(found_.graph)));
    // In the digest the graph has no name and its data the one the graph gives it: renaming or
    // moving both together changes nothing that is served.
    std::vector<FileEntry> nameless = {{"", 0, found_.files.front().sha256}};
    const fs::path folder = fs::path(found_.graph).parent_path();
    for (const std::string& location : model.ExternalFiles()) {
      found_.files.push_back(MLOS_TRY(Entry(folder / location)));
      nameless.push_back({location, 0, found_.files.back().sha256});
    }
    found_.digest = CombineDigests(nameless);
    found_.facts = FactsOf(std::move(model));
    SortFiles();
    return OkStatus();
  }

  /// A format that only its plugin can read.
  Status TakeOpaque() {
    std::vector<std::string> paths;
    if (found_.manifest) {
      for (const ExecutionFile& file : found_.manifest->format.execution_files) {
        paths.push_back(file.path);
      }
    }
    if (paths.empty() && !found_.graph.empty()) paths.push_back(found_.graph);
    if (paths.empty()) paths = MLOS_TRY(ListFiles(found_.directory, open_));
    for (const std::string& path : paths) found_.files.push_back(MLOS_TRY(Entry(path)));
    found_.digest = CombineDigests(found_.files);
    SortFiles();
    return OkStatus();
  }

  void SortFiles() {
    std::sort(found_.files.begin(), found_.files.end(),
              [](const FileEntry& a, const FileEntry& b) { return a.path < b.path; });
  }

  const ModelFilesRequest& request_;
  FileOpener open_;
  ModelFiles found_;
  std::vector<FileEntry> hashed_;
};

}  // namespace

std::vector<std::string> NamesForCopies(const ModelFiles& files) {
  std::vector<std::string> names;
  for (const FileEntry& file : files.files) names.push_back(file.path);
  if (files.execution_format != kOnnx) return names;
  // As TakeOnnx has it: the data is where the graph says, seen from the graph's folder.
  const std::size_t folder_size = files.graph.rfind('/') + 1;  // 0 without one
  const auto graph = std::find(names.begin(), names.end(), files.graph);
  if (graph == names.end()) return names;
  for (std::string& name : names) name.erase(0, folder_size);
  graph->clear();
  std::string chosen = "model.onnx";
  const auto is_taken = [&](const std::string& name) {
    return name == chosen || name.starts_with(chosen + '/');
  };
  while (std::any_of(names.begin(), names.end(), is_taken)) chosen.insert(0, "_");
  *graph = std::move(chosen);
  return names;
}

Status ReadFacts(ModelFiles& files) {
  if (files.execution_format != kOnnx) return OkStatus();
  files.facts = FactsOf(MLOS_TRY(onnx::CheckModel(files.directory, files.graph)));
  return OkStatus();
}

Result<ModelFiles> FindModelFiles(const fs::path& path, const ModelFilesRequest& request) {
  return Finder(request).Find(path);
}

}  // namespace mlos::package
