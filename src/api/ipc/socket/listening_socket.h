// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "base/result.h"
#include "base/unique_fd.h"

namespace mlos::api::ipc::socket {

/// A Unix socket that is listened on: removed from the file system on destruction, if it still is
/// the one that was made. Move-only; thread-compatible.
class ListeningSocket {
 public:
  /// The socket of a process that is gone is replaced; ADDRESS_IN_USE where one listens there,
  /// INVALID_CONFIG with field `socket` where the path is too long or names another kind of file.
  static Result<ListeningSocket> Open(const std::string& path, std::uint32_t mode);
  ListeningSocket(ListeningSocket&&) noexcept = default;
  ListeningSocket& operator=(ListeningSocket&&) = delete;
  ~ListeningSocket() { Remove(); }

  /// Gives the descriptor to who accepts on it; the file stays.
  UniqueFd TakeDescriptor() { return std::move(fd_); }
  /// Removes the file. Later calls do nothing.
  void Remove();

 private:
  ListeningSocket(std::string path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}

  std::string path_;
  UniqueFd fd_;
  std::uint64_t device_ = 0;
  std::uint64_t inode_ = 0;
};

}  // namespace mlos::api::ipc::socket
