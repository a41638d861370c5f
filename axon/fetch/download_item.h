// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "axon/fetch/exchange.h"
#include "axon/fetch/url.h"
#include "base/status.h"

namespace axon::fetch {

/// The expected size and digest of a file.
struct ExpectedContent {
  enum class Kind : std::uint8_t { kSha256, kGitBlobSha1 };
  std::uint64_t size_bytes = 0;
  Kind kind = Kind::kSha256;
  /// Lower-case hex digits, 64 or 40.
  std::string hex;
};

/// One file to fetch.
struct DownloadItem {
  /// The name that the user knows, for messages.
  std::string name;
  Url url;
  ExpectedContent expected;
  /// The file that collects its bytes; complete and verified once Download succeeds.
  std::filesystem::path part;
};

struct DownloadOptions {
  Timeouts timeouts;
  int parallel = 4;
  int retries_max = 5;
  /// Turns a response that is not a success into the failure the user sees.
  std::function<mlos::Status(const DownloadItem&, const ResponseHead&)> explain;
};

}  // namespace axon::fetch
