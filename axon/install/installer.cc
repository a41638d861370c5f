// SPDX-License-Identifier: MIT
#include "axon/install/installer.h"

#include <algorithm>
#include <filesystem>

#include "axon/install/describe.h"
#include "axon/ui/format.h"
#include "axon/ui/hint.h"

namespace axon::install {
namespace {

namespace fs = std::filesystem;
namespace package = mlos::package;
using hub::RemoteFile;
using mlos::Reason;
using mlos::Result;
using mlos::Status;
using package::Digest;
using package::FileEntry;
using store::Staging;

// The manifest, folders and the file system's own needs.
constexpr std::uint64_t kSpareBytes = 256 << 10;

/// Weights are named relative to the graph's folder.
std::string BesideGraph(const std::string& graph, const std::string& location) {
  return (fs::path(graph).parent_path() / location).string();
}

/// The files that one part holds, by that part. Repositories keep a tokenizer, for one, both beside
/// the graph and at their root: equal files are fetched once.
using EqualFiles = std::map<fs::path, std::vector<const RemoteFile*>>;

Result<EqualFiles> ByPart(const store::Store& store, const std::vector<RemoteFile>& files) {
  EqualFiles parts;
  for (const RemoteFile& file : files) {
    std::vector<const RemoteFile*>& equal = parts[PartOf(store, file)];
    equal.push_back(&file);
    if (file.content.size_bytes == equal.front()->content.size_bytes) continue;
    return Status(Reason::kChecksumMismatch, "the repository lists " + equal.front()->path +
                                                 " and " + file.path +
                                                 " with one digest and two sizes");
  }
  return parts;
}

bool Contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

Result<store::InstalledModel> Installer::Install(const Plan& plan) {
  MLOS_TRY(CheckSpace(plan.files));
  Staging staging = MLOS_TRY(context_.store.Stage());
  Digests digests;
  MLOS_TRY(Bring(plan, plan.files, staging, digests));
  const std::vector<std::string> weights = MLOS_TRY(BringWeights(plan, staging, digests));
  MLOS_TRY(Complete(plan, staging, digests, weights));
  if (context_.cancel.IsSet()) return Status(Reason::kCancelled, "interrupted");
  MLOS_TRY(staging.Publish(plan.id));
  return context_.store.Find(plan.id);
}

Status Installer::CheckSpace(const std::vector<RemoteFile>& files) const {
  const std::uint64_t needed = MissingBytes(context_.store, files) + kSpareBytes;
  const std::uint64_t free = MLOS_TRY(context_.store.FreeBytes());
  if (needed <= free) return mlos::OkStatus();
  return ui::WithHint(
      {Reason::kDiskFull, "the model needs " + ui::FormatBytes(needed) +
                              "; the disk of the store has " + ui::FormatBytes(free) + " left"},
      "`axon cache clean` removes what no model uses; AXON_CACHE_DIR moves the store");
}

Status Installer::Bring(const Plan& plan, const std::vector<RemoteFile>& files, Staging& staging,
                        Digests& digests) {
  return context_.patience().Until([&] { return BringOnce(plan, files, staging, digests); });
}

// What another process has fetched meanwhile is in the store by the next time.
Status Installer::BringOnce(const Plan& plan, const std::vector<RemoteFile>& files,
                            Staging& staging, Digests& digests) {
  std::vector<RemoteFile> missing;
  for (const RemoteFile& file : files) {
    if (digests.contains(file.path)) continue;
    if (!MLOS_TRY(BringFromStore(file, staging, digests))) missing.push_back(file);
  }
  return missing.empty() ? mlos::OkStatus() : BringFromHub(plan, missing, staging, digests);
}

Result<bool> Installer::BringFromStore(const RemoteFile& file, Staging& staging, Digests& digests) {
  const std::optional<Digest> digest = ObjectOf(file);
  const store::Objects& objects = context_.store.objects();
  if (!digest.has_value() || !objects.Has(*digest, file.content.size_bytes)) return false;
  const Status linked = staging.AddObject(*digest, file.path, context_.go_on());
  if (linked.ok()) {
    digests[file.path] = *digest;
    return true;
  }
  // Another process may just have removed it.
  if (linked.reason() == Reason::kFileNotFound) return false;
  if (linked.reason() != Reason::kStoreCorrupt) return linked;
  context_.console.Warn(std::string(linked.message()) + "; it is downloaded again");
  return false;
}

Status Installer::BringFromHub(const Plan& plan, const std::vector<RemoteFile>& files,
                               Staging& staging, Digests& digests) {
  const EqualFiles parts = MLOS_TRY(ByPart(context_.store, files));
  std::vector<fetch::DownloadItem> items;
  std::uint64_t total_bytes = 0;
  for (const auto& [part, equal] : parts) {
    const RemoteFile& file = *equal.front();
    fetch::Url url = MLOS_TRY(hub_.FileUrl(plan.remote, file));
    items.push_back({file.path, std::move(url), file.content, part});
    total_bytes += file.content.size_bytes;
  }
  fetch::DownloadOptions options = download_;
  options.explain = [&](const fetch::DownloadItem&, const fetch::ResponseHead& head) {
    return hub_.Explain(plan.remote, head);
  };
  context_.console.BeginProgress("downloading", total_bytes);
  const auto progress = [this](std::uint64_t done) { context_.console.MoveProgress(done); };
  auto found = fetch::Download(hub_.access(), context_.cancel, options, std::move(items), progress);
  context_.console.EndProgress();
  std::vector<fetch::Fetched> fetched = MLOS_TRY(std::move(found));
  std::size_t next = 0;
  for (const auto& [part, equal] : parts) {
    MLOS_TRY(Take(fetched[next++], equal, staging, digests));
  }
  return mlos::OkStatus();
}

Status Installer::Take(fetch::Fetched& fetched, const std::vector<const RemoteFile*>& files,
                       Staging& staging, Digests& digests) {
  fetched.part.RemoveNote();
  for (const RemoteFile* file : files) {
    // The first one takes the part into the store; equal files become links to that object.
    const bool first = file == files.front();
    MLOS_TRY(
        first ? staging.AddFile(fetched.part.path(), fetched.sha256, file->path, context_.go_on())
              : staging.AddObject(fetched.sha256, file->path, context_.go_on()));
    digests[file->path] = fetched.sha256;
  }
  return mlos::OkStatus();
}

Result<std::vector<std::string>> Installer::BringWeights(const Plan& plan, Staging& staging,
                                                         Digests& digests) {
  const package::onnx::Model graph =
      MLOS_TRY(package::onnx::ReadModel(staging.model() / plan.graph.path));
  std::vector<std::string> weights;
  std::vector<RemoteFile> missing;
  for (const std::string& location : graph.ExternalFiles()) {
    const std::string path = BesideGraph(plan.graph.path, location);
    const RemoteFile* file = plan.remote.Find(path);
    if (file == nullptr) {
      return Status(Reason::kInvalidModel, plan.graph.path + " refers to the weights " + path +
                                               ", which " + plan.remote.repository +
                                               " does not hold");
    }
    weights.push_back(path);
    if (!digests.contains(path)) missing.push_back(*file);
  }
  // The plan could only guess the weights, so the space is checked again.
  MLOS_TRY(CheckSpace(missing));
  MLOS_TRY(Bring(plan, missing, staging, digests));
  // The graph decides. Files that only looked like its weights came with the plan and are removed
  // again.
  for (const RemoteFile* likely : hub::LikelyWeights(plan.remote, plan.graph.path)) {
    if (Contains(weights, likely->path)) continue;
    std::error_code ignored;
    fs::remove(staging.model() / likely->path, ignored);
    digests.erase(likely->path);
  }
  return weights;
}

Status Installer::Complete(const Plan& plan, Staging& staging, const Digests& digests,
                           const std::vector<std::string>& weights) {
  // Checked with all weights in place: each reference must lie within its file.
  const package::onnx::Model graph =
      MLOS_TRY(package::onnx::CheckModel(staging.model(), plan.graph.path));
  std::vector<FileEntry> files;
  for (const auto& [path, digest] : digests) {
    const std::uint64_t size_bytes = plan.remote.Find(path)->content.size_bytes;
    files.push_back({path, size_bytes, digest});
  }
  const package::Manifest manifest = Describe(plan, graph, std::move(files), weights);
  MLOS_TRY(package::CheckManifest(manifest));
  MLOS_TRY(staging.Write(package::kManifestFileName, package::WriteManifest(manifest)));
  return staging.Write(package::kInstallRecordFileName, InstallRecord(plan.id));
}

}  // namespace axon::install
