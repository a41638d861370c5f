// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <string>
#include <vector>

#include "axon/fetch/cancel.h"
#include "axon/fetch/download.h"
#include "axon/hub/hub.h"
#include "axon/install/plan.h"
#include "axon/install/wait.h"
#include "axon/store/store.h"
#include "axon/ui/console.h"
#include "base/result.h"
#include "package/manifest.h"
#include "package/onnx/model.h"

namespace axon::install {

/// Shared by all ways of installing. Borrowed; outlives the work.
struct InstallContext {
  const store::Store& store;
  ui::Console& console;
  const fetch::CancelFlag& cancel;
  /// For another process that is at the same work; otherwise STATE_LOCKED ends it.
  bool waits = true;

  Patience patience() const { return {console, cancel, waits}; }
  /// Ends long work after Ctrl-C.
  mlos::package::HashProgress go_on() const {
    return [&flag = cancel](std::uint64_t) { return !flag.IsSet(); };
  }
};

/// Carries out a plan: downloads the files that the store lacks, reads from the graph the files it
/// refers to, writes the manifest, and publishes the model whole or not at all. After a failure,
/// downloaded parts are kept for the next try. Thread-compatible.
class Installer {
 public:
  /// `hub` must outlive the installer, and `download.explain` need not be set.
  Installer(InstallContext context, hub::Hub& hub, fetch::DownloadOptions download)
      : context_(context), hub_(hub), download_(std::move(download)) {}

  /// Waits for another process that downloads one of the files. DISK_FULL before anything is
  /// written if there is too little space; otherwise as Download, INVALID_MODEL for a bad graph,
  /// CONFLICT as Staging::Publish.
  mlos::Result<store::InstalledModel> Install(const Plan& plan);

 private:
  using Digests = std::map<std::string, mlos::package::Digest>;

  mlos::Status CheckSpace(const std::vector<hub::RemoteFile>& files) const;
  /// Brings `files` into the staged model and notes their digests.
  mlos::Status Bring(const Plan& plan, const std::vector<hub::RemoteFile>& files,
                     store::Staging& staging, Digests& digests);
  /// The same; STATE_LOCKED if another process downloads one of them.
  mlos::Status BringOnce(const Plan& plan, const std::vector<hub::RemoteFile>& files,
                         store::Staging& staging, Digests& digests);
  mlos::Result<bool> BringFromStore(const hub::RemoteFile& file, store::Staging& staging,
                                    Digests& digests);
  mlos::Status BringFromHub(const Plan& plan, const std::vector<hub::RemoteFile>& files,
                            store::Staging& staging, Digests& digests);
  /// Adds a downloaded file under the path of each of `files`, which are equal.
  mlos::Status Take(fetch::Fetched& fetched, const std::vector<const hub::RemoteFile*>& files,
                    store::Staging& staging, Digests& digests);
  mlos::Result<std::vector<std::string>> BringWeights(const Plan& plan, store::Staging& staging,
                                                      Digests& digests);
  mlos::Status Complete(const Plan& plan, store::Staging& staging, const Digests& digests,
                        const std::vector<std::string>& weights);

  InstallContext context_;
  hub::Hub& hub_;
  fetch::DownloadOptions download_;
};

}  // namespace axon::install
