// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "api/ipc/wire/protocol.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace mlos::api::ipc::memory {

/// A file descriptor's memory, mapped: a memfd of ordinary pages that can neither shrink nor grow
/// and that is backed as a whole. Otherwise touching it could raise SIGBUS, also where a hole is
/// punched into huge pages; into ordinary ones, a hole reads as zeros. Unmapped on destruction.
/// Thread-safe.
class Mapping {
 public:
  /// INVALID_FIELD for anything but such a memfd, PAYLOAD_TOO_LARGE above `size_bytes_max`.
  static Result<Mapping> Create(UniqueFd fd, bool writable, std::uint64_t size_bytes_max);
  Mapping() = default;
  Mapping(Mapping&& other) noexcept { *this = std::move(other); }
  Mapping& operator=(Mapping&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_bytes_, other.size_bytes_);
    std::swap(write_sealed_, other.write_sealed_);
    return *this;
  }
  ~Mapping();

  char* data() const { return data_; }
  std::uint64_t size_bytes() const { return size_bytes_; }
  /// True where nobody can write to it any more. F_SEAL_FUTURE_WRITE does not count: mappings made
  /// before it stay writable.
  bool write_sealed() const { return write_sealed_; }

 private:
  char* data_ = nullptr;
  std::uint64_t size_bytes_ = 0;
  bool write_sealed_ = false;
};

/// Memory of a client that its inputs lie in, or that outputs are written into. Shared by the
/// session that mapped it and the requests that use it. Thread-safe.
class Region {
 public:
  Region(Mapping mapping, wire::Access access) : mapping_(std::move(mapping)), access_(access) {}

  wire::Access access() const { return access_; }
  /// Whether nobody can change it any more: then tensors may be run where they lie, whatever the
  /// model makes of them.
  bool constant() const { return mapping_.write_sealed(); }
  std::uint64_t size_bytes() const { return mapping_.size_bytes(); }
  /// Where `size_bytes` at `offset` lie; INVALID_FIELD with `field` where they are not within.
  Result<char*> At(std::uint64_t offset, std::uint64_t size_bytes, std::string_view field) const;

 private:
  const Mapping mapping_;
  const wire::Access access_;
};

}  // namespace mlos::api::ipc::memory
