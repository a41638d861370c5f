// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace mlos::package {

/// A SHA-256, which identifies a file independently of its place. Thread-compatible.
class Digest {
 public:
  static constexpr std::size_t kBytes = 32;

  Digest() = default;
  explicit Digest(const std::array<std::uint8_t, kBytes>& bytes) : bytes_(bytes) {}

  /// Reads "sha256:<64 lower-case hex digits>" and nothing else, so that a digest may become a file
  /// name. INVALID_FIELD.
  static Result<Digest> Parse(std::string_view text);
  /// Reads 64 lower-case hex digits without the prefix, as manifests and hubs write them.
  static Result<Digest> ParseHex(std::string_view text);

  /// 64 lower-case hex digits.
  std::string Hex() const;
  /// "sha256:" + Hex().
  std::string ToString() const;
  const std::array<std::uint8_t, kBytes>& bytes() const { return bytes_; }

  auto operator<=>(const Digest&) const = default;

 private:
  std::array<std::uint8_t, kBytes> bytes_{};
};

/// Digests a stream of bytes: Update as often as needed, then Finish once. Thread-compatible.
class Hasher {
 public:
  static Hasher Sha256();
  /// What git calls a blob's id and Hugging Face the `oid` of a file outside LFS: SHA-1 over "blob
  /// <size>\0" and the bytes. It identifies a file but does not resist an attacker.
  static Hasher GitBlobSha1(std::uint64_t size_bytes);

  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;
  ~Hasher();

  void Update(std::string_view bytes);
  /// Lower-case hex digits. The hasher is spent.
  std::string FinishHex();
  /// Requires Sha256().
  Digest FinishDigest();

 private:
  struct Context;
  explicit Hasher(std::unique_ptr<Context> context);
  std::unique_ptr<Context> context_;
};

/// SHA-256 of bytes in memory.
Digest DigestOf(std::string_view bytes);

/// Called with the number of bytes hashed since the last call; returning false stops the work with
/// CANCELLED. May be empty.
using HashProgress = std::function<bool(std::uint64_t bytes)>;

struct FileDigest {
  Digest sha256;
  std::uint64_t size_bytes = 0;
  bool operator==(const FileDigest&) const = default;
};

/// Digests an open regular file from its beginning; `name` is used in messages only. The file's
/// offset is left alone.
Result<FileDigest> DigestOpenFile(int fd, std::string_view name, const HashProgress& progress = {});

/// Digests a file whose last path component is not a symbolic link.
Result<FileDigest> DigestFile(const std::filesystem::path& path, const HashProgress& progress = {});

/// Digests a file below `directory`, reached without any symbolic link (see OpenBeneath).
Result<FileDigest> DigestBeneath(const std::filesystem::path& directory, std::string_view relative,
                                 const HashProgress& progress = {});

/// Finds the digest of a file below `directory`, as DigestBeneath does.
using FileDigester = std::function<Result<FileDigest>(const std::filesystem::path& directory,
                                                      std::string_view relative)>;

/// Git blob id of a file whose last path component is not a symbolic link: 40 lower-case hex
/// digits.
Result<std::string> GitBlobSha1OfFile(const std::filesystem::path& path);

}  // namespace mlos::package
