// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "axon/install/plan.h"
#include "package/manifest.h"
#include "package/onnx/model.h"

namespace axon::install {

/// "axon 1.0.0", the writer of a manifest.
std::string Generator();

/// The schema as the graph declares it: symbols and unknown sizes are -1.
mlos::package::Io IoOf(const mlos::package::onnx::Model& graph);

/// The requirements of a machine for `files`: memory for the graph and its weights once, at least
/// as much as their tensors declare; a working copy besides is recommended.
mlos::package::Requirements RequirementsOf(const mlos::package::onnx::Model& graph,
                                           const std::vector<mlos::package::FileEntry>& files,
                                           std::uint64_t executed_bytes);

/// The manifest of an installed plan. `files` are all files of the model with their digests,
/// sorted; `weights` are the files that the graph refers to.
mlos::package::Manifest Describe(const Plan& plan, const mlos::package::onnx::Model& graph,
                                 std::vector<mlos::package::FileEntry> files,
                                 const std::vector<std::string>& weights);

/// `.axon_metadata.json`, the existing tool's note of an installation.
std::string InstallRecord(const mlos::ModelId& id);

}  // namespace axon::install
