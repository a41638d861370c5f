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
  /// Why this one: "onnx/model.onnx is where exporters put it".
  std::string reason;
  /// The other graphs there are, sorted.
  std::vector<std::string> others;
};

/// Picks the graph to install: `wanted` where it is not empty, otherwise onnx/model.onnx,
/// model.onnx, a model.onnx elsewhere, or the only graph there is. UNSUPPORTED_MODEL where there is
/// none or the model consists of several, USAGE where only the user can choose, REMOTE_NOT_FOUND
/// for a `wanted` that is not there.
mlos::Result<GraphChoice> ChooseGraph(const RemoteModel& model, std::string_view wanted);

/// Files that, by the usual names, hold the weights of `graph`: model.onnx_data, model.onnx.data, …
/// The graph itself has the last word.
std::vector<const RemoteFile*> LikelyWeights(const RemoteModel& model, std::string_view graph);

/// Small files that belong to a model whatever its graph: configuration, tokenizer, preprocessor,
/// licence and card, of the root and of the graph's folder, up to a total size.
std::vector<const RemoteFile*> Companions(const RemoteModel& model, std::string_view graph);

}  // namespace axon::hub
