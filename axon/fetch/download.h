// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "axon/fetch/access.h"
#include "axon/fetch/cancel.h"
#include "axon/fetch/download_item.h"
#include "base/result.h"
#include "package/digest.h"

namespace axon::fetch {

/// Told how many bytes of all items are there, now and then.
using DownloadProgress = std::function<void(std::uint64_t done_bytes)>;

/// Fetches `items`, several at a time, going on where an earlier process stopped, and returns the
/// SHA-256 of each. Every byte of a part has been compared with what was expected, and synced. The
/// first failure that retrying cannot mend ends all; parts stay, except one whose content is wrong
/// (CHECKSUM_MISMATCH). CANCELLED after `cancel` was set.
mlos::Result<std::vector<mlos::package::Digest>> Download(Access& access, const CancelFlag& cancel,
                                                          const DownloadOptions& options,
                                                          std::vector<DownloadItem> items,
                                                          const DownloadProgress& progress);

}  // namespace axon::fetch
