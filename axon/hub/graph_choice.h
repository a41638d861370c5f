// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "axon/hub/hub.h"
#include "base/result.h"

namespace axon::hub {

/// The one graph of a repository that is installed.
struct GraphChoice {
  std::string path;
  /// The reason for the choice: "onnx/model.onnx is where exporters put it".
  std::string reason;
  /// The other graphs, sorted.
  std::vector<std::string> others;
};

/// Picks the graph to install: `wanted` if it is not empty, otherwise onnx/model.onnx, model.onnx,
/// a model.onnx elsewhere, or the only graph. UNSUPPORTED_MODEL if there is none or the model
/// consists of several, USAGE if only the user can choose, REMOTE_NOT_FOUND if `wanted` does not
/// exist.
mlos::Result<GraphChoice> ChooseGraph(const RemoteModel& model, std::string_view wanted);

/// Files that, by the usual names, hold the weights of `graph`: model.onnx_data, model.onnx.data, …
/// This is a guess; the graph itself names its files.
std::vector<const RemoteFile*> LikelyWeights(const RemoteModel& model, std::string_view graph);

/// Small files that belong to a model whatever its graph: configuration, tokenizer, preprocessor,
/// licence and card, of the root and of the graph's folder, up to a total size.
std::vector<const RemoteFile*> Companions(const RemoteModel& model, std::string_view graph);

}  // namespace axon::hub
