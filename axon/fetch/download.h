// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "axon/fetch/access.h"
#include "axon/fetch/cancel.h"
#include "axon/fetch/download_item.h"
#include "axon/fetch/partial_file.h"
#include "base/result.h"
#include "package/digest.h"

namespace axon::fetch {

/// Told how many bytes of all items are there, now and then.
using DownloadProgress = std::function<void(std::uint64_t done_bytes)>;

/// A file that came whole. Its part is locked while this lives, so that no other process writes to
/// bytes that were found right, or cleans them away.
struct Fetched {
  mlos::package::Digest sha256;
  PartialFile part;
};

/// Fetches `items`, several at a time, going on where an earlier process stopped; the files in the
/// order of `items`, no two of which may have one part. Every byte of a part has been compared with
/// what was expected, and synced. The first failure that retrying cannot mend ends all; parts stay,
/// except one whose content is wrong (CHECKSUM_MISMATCH). CANCELLED after `cancel` was set.
mlos::Result<std::vector<Fetched>> Download(Access& access, const CancelFlag& cancel,
                                            const DownloadOptions& options,
                                            std::vector<DownloadItem> items,
                                            const DownloadProgress& progress);

}  // namespace axon::fetch
