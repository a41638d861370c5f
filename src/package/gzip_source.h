// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/inflater.h"
#include "base/result.h"

namespace mlos::package {

/// The content of a gzip file, piece by piece. libarchive reads such files too, but looks neither
/// at the checksum and the length in their trailers nor at what follows. Thread-compatible.
class GzipSource {
 public:
  /// Whether `fd` begins like a gzip file; its position stays.
  static bool Fits(int fd);

  /// Reads `fd`, which must outlive it, from its position.
  explicit GzipSource(int fd) : fd_(fd) {}

  /// Borrowed until the next call; empty at the end of a whole file. INVALID_PACKAGE, IO_ERROR,
  /// OUT_OF_MEMORY.
  Result<std::string_view> Next();

  std::uint64_t packed_bytes() const { return packed_bytes_; }
  std::uint64_t unpacked_bytes() const { return unpacked_bytes_; }

 private:
  /// False at the end of the file.
  Result<bool> Refill();

  const int fd_;
  Inflater inflater_{Inflater::Format::kGzip};
  bool at_end_ = false;
  std::uint64_t packed_bytes_ = 0;
  std::uint64_t unpacked_bytes_ = 0;
  std::array<char, 64 << 10> packed_;
  std::array<char, 64 << 10> unpacked_;
};

}  // namespace mlos::package
