// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "package/digest.h"
#include "package/facts.h"
#include "package/manifest.h"

namespace mlos::package {

/// A file whose name ends in `extension`, in lower case with its dot, holds a model of `format`.
struct FormatExtension {
  std::string extension;
  std::string format;
};

/// What a caller may say about the model at a path; all of it optional.
struct ModelFilesRequest {
  /// A manifest elsewhere than `<directory>/manifest.yaml`.
  std::filesystem::path manifest;
  /// "onnx", …; needed only where neither manifest nor file name tells.
  std::string execution_format;
  /// What names tell, besides ".onnx".
  std::vector<FormatExtension> extensions;
  /// The graph to serve, relative to the directory, where there are several.
  std::string graph;
  /// Asked with the execution format before any file is hashed, if set: its refusal is the answer.
  std::function<Status(std::string_view execution_format)> accepts;
  /// Opens the files of a folder that has no manifest, if set; packages have no links.
  FileOpener open;
  /// Finds the digest of an open file, if set, in place of DigestOpenFile.
  std::function<Result<FileDigest>(int fd, std::string_view name)> digest;
};

/// What is to be served: which file of a directory an engine opens, and all that is known about it.
struct ModelFiles {
  /// Absolute, free of symbolic links. Everything below is relative to it.
  std::filesystem::path directory;
  /// The file the engine opens; empty where the engine is given the directory itself.
  std::string graph;
  /// "onnx", …: picks the plugin.
  std::string execution_format;
  /// `graph` and the files it refers to, with size and digest, sorted by path. For a format that we
  /// cannot look into, the manifest's execution files or every file of the directory.
  std::vector<FileEntry> files;
  /// One digest over `files`: equal for equal weights, whatever the folder and the graph file are
  /// called.
  Digest digest;
  std::optional<Manifest> manifest;
  /// What is known of the graph: of execution_format onnx only.
  ModelFacts facts;
  /// Of a folder that neither a manifest nor the request tells the format of, and that has no ONNX
  /// file, this is the only file whose name does. It is served as if it had been asked for alone.
  bool found_by_extension = false;
  /// What was tolerated: unlisted files of a legacy package, unknown keys of its manifest, …
  std::vector<std::string> warnings;

  /// Absolute path of what the engine opens.
  std::filesystem::path EnginePath() const { return graph.empty() ? directory : directory / graph; }
  /// True where the manifest's digests are those its source published.
  bool verified() const { return manifest.has_value() && manifest->verified(); }
};

/// Finds out what is to be served at `path`: a model file, or a directory with or without a
/// manifest. With one the whole directory is verified against it (CHECKSUM_MISMATCH), and one graph
/// is picked: the request's, else the manifest's x-mlos.graph, else its only execution file of that
/// format, or its only one of type single. Without one there must be exactly one .onnx file, or,
/// without such a file, exactly one with another of the known extensions. Where that leaves
/// several, UNSUPPORTED_MODEL names them. Every byte of the files is hashed, unless the request's
/// `digest` knows better, and an ONNX graph walked (INVALID_MODEL); nothing is executed.
/// FILE_NOT_FOUND, INVALID_MANIFEST, UNSAFE_PATH and INVALID_FIELD as they say. No message holds an
/// absolute path.
Result<ModelFiles> FindModelFiles(const std::filesystem::path& path,
                                  const ModelFilesRequest& request = {});

/// What copies of `files.files` are called, in their order: names that follow from the digest, so
/// that models of one digest can share them. A graph, which the digest has no name of, is called
/// `model.onnx`, with underscores before it where its data is called so.
std::vector<std::string> NamesForCopies(const ModelFiles& files);

/// Finds out again what is known of the graph at EnginePath(), in a folder without links.
Status ReadFacts(ModelFiles& files);

}  // namespace mlos::package
