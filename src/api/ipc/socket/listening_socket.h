// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "base/result.h"
#include "base/unique_fd.h"

namespace mlos::api::ipc::socket {

/// A Unix socket that is listened on, and the lock beside it, `path`.lock: both are removed from
/// the file system on destruction, the socket if it still is the one that was made. Move-only;
/// thread-compatible.
class ListeningSocket {
 public:
  /// Never waits. The socket that a process of the same user has left is replaced; ADDRESS_IN_USE
  /// if one listens there or holds the lock, INVALID_CONFIG with field `socket` if the path is too
  /// long or what lies there is another user's or no socket.
  static Result<ListeningSocket> Open(const std::string& path, std::uint32_t mode);
  ListeningSocket(ListeningSocket&&) noexcept = default;
  ListeningSocket& operator=(ListeningSocket&&) = delete;
  ~ListeningSocket() { Remove(); }

  /// Gives the descriptor to who accepts on it; the file stays.
  UniqueFd TakeDescriptor() { return std::move(fd_); }
  /// Removes the file. Later calls do nothing.
  void Remove();

 private:
  ListeningSocket(std::string path, UniqueFd lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}

  std::string path_;
  UniqueFd lock_;
  UniqueFd fd_;
  std::uint64_t device_ = 0;  ///< the file that was made
  std::uint64_t inode_ = 0;   ///< 0 before it is made
};

}  // namespace mlos::api::ipc::socket
