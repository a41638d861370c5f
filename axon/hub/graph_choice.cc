// SPDX-License-Identifier: MIT
#include "axon/hub/graph_choice.h"

#include <algorithm>
#include <array>

#include "axon/ui/format.h"
#include "axon/ui/hint.h"

namespace axon::hub {
namespace {

using mlos::Reason;
using mlos::Result;
using mlos::Status;
using Files = std::vector<const RemoteFile*>;

constexpr std::uint64_t kCompanionBytesMax = 64 << 20;
constexpr std::uint64_t kCompanionsBytesMax = 256 << 20;

std::string_view FileName(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string_view Folder(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

Files Graphs(const RemoteModel& model) {
  Files graphs;
  for (const RemoteFile& file : model.files) {
    if (file.path.ends_with(".onnx")) graphs.push_back(&file);
  }
  return graphs;
}

/// Names that exporters give to the parts of one model.
bool IsPart(std::string_view path) {
  constexpr std::array<std::string_view, 5> kParts = {"encoder", "decoder", "text_model",
                                                      "vision_model", "audio_model"};
  const std::string_view name = FileName(path);
  return std::any_of(kParts.begin(), kParts.end(), [name](std::string_view part) {
    return name.find(part) != std::string_view::npos;
  });
}

std::string Listed(const Files& graphs) {
  constexpr std::size_t kShownMax = 20;
  std::string list;
  for (std::size_t i = 0; i < std::min(graphs.size(), kShownMax); ++i) {
    list += (i == 0 ? "" : ", ") + graphs[i]->path + " (" +
            ui::FormatBytes(graphs[i]->content.size_bytes) + ")";
  }
  if (graphs.size() > kShownMax) list += ", …";
  return list;
}

GraphChoice Choice(const Files& graphs, const std::string& path, std::string reason) {
  GraphChoice choice{.path = path, .reason = std::move(reason)};
  for (const RemoteFile* graph : graphs) {
    if (graph->path != path) choice.others.push_back(graph->path);
  }
  return choice;
}

Result<GraphChoice> ChooseWanted(const RemoteModel& model, const Files& graphs,
                                 std::string_view wanted) {
  const std::string path(wanted);
  if (!path.ends_with(".onnx")) {
    return Status(Reason::kUsage, "--file " + path + ": expected a file that ends in .onnx");
  }
  if (model.Find(wanted) != nullptr) return Choice(graphs, path, "--file asks for it");
  return Status(Reason::kRemoteNotFound,
                model.repository + " has no file " + path +
                    (graphs.empty() ? "" : "; its graphs are " + Listed(graphs)));
}

Status NoGraph(const RemoteModel& model) {
  Status status(
      Reason::kUnsupportedModel,
      model.repository + " has no ONNX graph, and this version of axon does not convert models");
  return ui::WithHint(
      std::move(status),
      "conversion from PyTorch, TensorFlow and safetensors comes later; many models "
      "have an ONNX twin, often under the organisation onnx-community");
}

Status Undecided(const RemoteModel& model, const Files& graphs) {
  if (std::any_of(graphs.begin(), graphs.end(),
                  [](const RemoteFile* graph) { return IsPart(graph->path); })) {
    return ui::WithHint(Status(Reason::kUnsupportedModel,
                               model.repository + " has several graphs that belong together (" +
                                   Listed(graphs) + "); a later version will run them together"),
                        "--file installs one of them by itself");
  }
  return ui::WithHint(
      Status(Reason::kUsage, model.repository + " holds " + std::to_string(graphs.size()) +
                                 " graphs: " + Listed(graphs)),
      "choose one with --file");
}

bool IsCompanion(std::string_view path) {
  constexpr std::array<std::string_view, 17> kNames = {"config.json",
                                                       "generation_config.json",
                                                       "preprocessor_config.json",
                                                       "processor_config.json",
                                                       "tokenizer.json",
                                                       "tokenizer_config.json",
                                                       "tokenizer.model",
                                                       "special_tokens_map.json",
                                                       "added_tokens.json",
                                                       "merges.txt",
                                                       "spiece.model",
                                                       "sentencepiece.bpe.model",
                                                       "labels.txt",
                                                       "labels.json",
                                                       "README.md",
                                                       "LICENSE.md",
                                                       "NOTICE"};
  const std::string_view name = FileName(path);
  if (std::find(kNames.begin(), kNames.end(), name) != kNames.end()) return true;
  if (name.starts_with("LICENSE")) return true;
  const bool text = name.ends_with(".json") || name.ends_with(".txt");
  return text && (name.starts_with("vocab") || name.starts_with("config."));
}

}  // namespace

Result<GraphChoice> ChooseGraph(const RemoteModel& model, std::string_view wanted) {
  const Files graphs = Graphs(model);
  if (!wanted.empty()) return ChooseWanted(model, graphs, wanted);
  if (graphs.empty()) return NoGraph(model);
  if (graphs.size() == 1) return Choice(graphs, graphs.front()->path, "it is the only graph");
  for (const std::string usual : {"onnx/model.onnx", "model.onnx"}) {
    if (model.Find(usual) != nullptr) {
      return Choice(graphs, usual, "it is where exporters put the model");
    }
  }
  Files named;
  std::copy_if(graphs.begin(), graphs.end(), std::back_inserter(named),
               [](const RemoteFile* graph) { return FileName(graph->path) == "model.onnx"; });
  if (named.size() == 1) {
    return Choice(graphs, named.front()->path, "it is the only one called model.onnx");
  }
  return Undecided(model, graphs);
}

Files LikelyWeights(const RemoteModel& model, std::string_view graph) {
  Files weights;
  for (const RemoteFile& file : model.files) {
    if (!file.path.starts_with(graph)) continue;
    const std::string_view rest = std::string_view(file.path).substr(graph.size());
    if (rest.starts_with("_data") || rest.starts_with(".data")) weights.push_back(&file);
  }
  return weights;
}

Files Companions(const RemoteModel& model, std::string_view graph) {
  Files companions;
  std::uint64_t total_bytes = 0;
  for (const RemoteFile& file : model.files) {
    const std::string_view folder = Folder(file.path);
    if (!folder.empty() && folder != Folder(graph)) continue;
    if (!IsCompanion(file.path) || file.content.size_bytes > kCompanionBytesMax) continue;
    total_bytes += file.content.size_bytes;
    if (total_bytes > kCompanionsBytesMax) break;
    companions.push_back(&file);
  }
  return companions;
}

}  // namespace axon::hub
