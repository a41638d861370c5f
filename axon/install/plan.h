// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "axon/hub/graph_choice.h"
#include "axon/hub/hub.h"
#include "axon/store/store.h"
#include "base/model_id.h"
#include "base/result.h"

namespace axon::install {

/// The files to install and the reason for the choice. Plain data.
struct Plan {
  mlos::ModelId id;
  hub::RemoteModel remote;
  hub::GraphChoice graph;
  /// The graph, its likely weights and its companions, sorted by path, none twice.
  std::vector<hub::RemoteFile> files;
  /// The commit that is installed under this id now; empty if there is none.
  std::string installed_commit;
  /// The same commit and graph are installed already, and every file has its size.
  bool up_to_date = false;

  std::uint64_t total_bytes() const;
};

struct PlanRequest {
  hub::ModelSpec spec;
  /// The graph to install; empty lets ChooseGraph pick.
  std::string file;
};

/// Resolves a spec at its hub, picks the graph and makes sure that it may be downloaded. Writes
/// nothing. Fails as Hub and ChooseGraph do.
mlos::Result<Plan> MakePlan(const store::Store& store, hub::Hub& hub, const PlanRequest& request);

/// Brings up to date what `plan` says of the model that is installed under its id.
void CompareWithInstalled(const store::Store& store, Plan& plan);

/// The file that collects the bytes of a download.
std::filesystem::path PartOf(const store::Store& store, const hub::RemoteFile& file);

/// The digest by which the store may have a file already; absent if its hub gives another kind.
std::optional<mlos::package::Digest> ObjectOf(const hub::RemoteFile& file);

/// Bytes of `files` that are neither in the store nor on their way.
std::uint64_t MissingBytes(const store::Store& store, const std::vector<hub::RemoteFile>& files);

}  // namespace axon::install
