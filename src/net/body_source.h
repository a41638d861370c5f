// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace mlos::net {

/// The body of a large reply, which is made while it is sent: the connection asks for the next
/// piece once the socket has taken the one before, so that a slow reader costs one piece. Making a
/// piece takes a fraction of a millisecond and cannot fail. Thread-compatible.
class BodySource {
 public:
  BodySource() = default;
  BodySource(const BodySource&) = delete;
  BodySource& operator=(const BodySource&) = delete;
  virtual ~BodySource() = default;

  /// The bytes of all pieces, if that is known beforehand.
  virtual std::optional<std::uint64_t> length() const = 0;
  /// The next piece, which stays where it is until the next call; empty at the end.
  virtual std::string_view Next() = 0;
};

}  // namespace mlos::net
