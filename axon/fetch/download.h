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

/// Called now and then with the number of bytes present of all items.
using DownloadProgress = std::function<void(std::uint64_t done_bytes)>;

/// A complete file. Its part is locked while this lives, so that no other process writes to the
/// verified bytes or removes them.
struct Fetched {
  mlos::package::Digest sha256;
  PartialFile part;
};

/// Fetches `items`, several at a time, and continues parts of earlier processes. Returns the files
/// in the order of `items`, no two of which may share a part. Every file has been compared with its
/// digest and synced. The first failure that a retry cannot mend ends all; parts stay, except one
/// whose content is wrong (CHECKSUM_MISMATCH). CANCELLED after `cancel` was set.
mlos::Result<std::vector<Fetched>> Download(Access& access, const CancelFlag& cancel,
                                            const DownloadOptions& options,
                                            std::vector<DownloadItem> items,
                                            const DownloadProgress& progress);

}  // namespace axon::fetch
