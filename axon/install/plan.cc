// SPDX-License-Identifier: MIT
#include "axon/install/plan.h"

#include <algorithm>
#include <map>

#include "base/files.h"
#include "package/manifest.h"

namespace axon::install {
namespace {

using hub::RemoteFile;
using mlos::Result;
using mlos::Status;
using mlos::package::Digest;
using mlos::package::ParsedManifest;

std::vector<RemoteFile> FilesOf(const hub::RemoteModel& remote, const std::string& graph) {
  std::map<std::string, const RemoteFile*> files;
  const auto add = [&files](const RemoteFile* file) { files.emplace(file->path, file); };
  add(remote.Find(graph));
  for (const RemoteFile* file : hub::LikelyWeights(remote, graph)) add(file);
  for (const RemoteFile* file : hub::Companions(remote, graph)) add(file);
  std::vector<RemoteFile> sorted;
  for (const auto& [path, file] : files) sorted.push_back(*file);
  return sorted;
}

/// True if every file is there with its size, which is cheap to see. `axon verify` checks their
/// bytes.
bool HasItsFiles(const std::filesystem::path& directory, const mlos::package::Manifest& manifest) {
  const auto& files = manifest.format.files;
  return std::all_of(files.begin(), files.end(), [&](const mlos::package::FileEntry& file) {
    const Result<std::uint64_t> size_bytes = mlos::FileSize(directory / file.path);
    return size_bytes.ok() && *size_bytes == file.size_bytes;
  });
}

}  // namespace

void CompareWithInstalled(const store::Store& store, Plan& plan) {
  plan.installed_commit.clear();
  plan.up_to_date = false;
  const auto installed = store.Find(plan.id);
  if (!installed.ok()) return;
  const Result<ParsedManifest> parsed =
      mlos::package::ReadManifest(installed->directory / mlos::package::kManifestFileName);
  if (!parsed.ok() || !parsed->manifest.extension.has_value()) return;
  const mlos::package::Extension& extension = *parsed->manifest.extension;
  plan.installed_commit = extension.source.commit;
  plan.up_to_date = extension.source.repository == plan.remote.repository &&
                    extension.source.commit == plan.remote.commit &&
                    extension.graph == plan.graph.path &&
                    HasItsFiles(installed->directory, parsed->manifest);
}

std::uint64_t Plan::total_bytes() const {
  std::uint64_t total = 0;
  for (const RemoteFile& file : files) total += file.content.size_bytes;
  return total;
}

Result<Plan> MakePlan(const store::Store& store, hub::Hub& hub, const PlanRequest& request) {
  hub::RemoteModel remote = MLOS_TRY(hub.Resolve(request.spec));
  hub::GraphChoice graph = MLOS_TRY(hub::ChooseGraph(remote, request.file));
  MLOS_TRY(hub.CheckAccess(remote, *remote.Find(graph.path)));
  mlos::ModelId id = MLOS_TRY(request.spec.InstalledId(remote.commit));
  std::vector<RemoteFile> files = FilesOf(remote, graph.path);
  Plan plan{.id = std::move(id),
            .remote = std::move(remote),
            .graph = std::move(graph),
            .files = std::move(files)};
  CompareWithInstalled(store, plan);
  return plan;
}

std::filesystem::path PartOf(const store::Store& store, const RemoteFile& file) {
  const bool is_sha256 = file.content.kind == fetch::ExpectedContent::Kind::kSha256;
  return store.layout().Part((is_sha256 ? "sha256-" : "git-") + file.content.hex);
}

std::optional<Digest> ObjectOf(const RemoteFile& file) {
  if (file.content.kind != fetch::ExpectedContent::Kind::kSha256) return std::nullopt;
  const Result<Digest> digest = Digest::ParseHex(file.content.hex);
  return digest.ok() ? std::optional(*digest) : std::nullopt;
}

std::uint64_t MissingBytes(const store::Store& store, const std::vector<RemoteFile>& files) {
  std::uint64_t missing = 0;
  for (const RemoteFile& file : files) {
    const std::uint64_t size_bytes = file.content.size_bytes;
    const std::optional<Digest> object = ObjectOf(file);
    if (object.has_value() && store.objects().Has(*object, size_bytes)) continue;
    const Result<std::uint64_t> part_bytes = mlos::FileSize(PartOf(store, file));
    missing += size_bytes - std::min(part_bytes.ok() ? *part_bytes : 0, size_bytes);
  }
  return missing;
}

}  // namespace axon::install
