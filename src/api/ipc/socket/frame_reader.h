// SPDX-License-Identifier: MIT
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "api/ipc/wire/frame.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "resource/byte_budget.h"
#include "tensor/buffer.h"

namespace mlos::api::ipc::socket {

/// A frame as it came, in memory of its own: 64-byte aligned, so that inline tensors are run where
/// they lie.
struct Frame {
  wire::FrameHeader header;
  resource::Reservation reservation;
  tensor::Buffer buffer;
  std::vector<UniqueFd> descriptors;
  /// Why the body was read and dropped: OVERLOADED, OUT_OF_MEMORY.
  Status refusal;

  std::string_view body() const {
    return {static_cast<const char*>(buffer.data()), buffer.data() ? header.body_bytes() : 0};
  }
};

/// Makes room for the body that `frame.header` announces, and counts at first only as much of it as
/// `counted_max`; what is small is not counted, so that it is served also while all the budget is
/// taken. A failure is in `frame.refusal`.
void AllocateBody(Frame& frame, resource::ByteBudget& budget, std::uint32_t counted_max);

/// A frame whose header has come.
struct PartialFrame {
  Frame frame;
  std::uint32_t received = 0;  ///< of its body
  std::uint32_t left() const { return frame.header.body_bytes() - received; }
};

/// Cuts what arrives on a Unix socket into frames. A failure of it is the client's, and the end:
/// what follows cannot be understood. Thread-compatible.
class FrameReader {
 public:
  /// Bodies are counted against `budget`, as they arrive.
  explicit FrameReader(resource::ByteBudget& budget) : budget_(budget) {}

  enum class Outcome : std::uint8_t {
    kSome,   ///< bytes came, and there may be more
    kEmpty,  ///< there is nothing more for now
    kEnd,    ///< the client is gone
  };
  /// Receives once from `fd`. MALFORMED_REQUEST for more descriptors than allowed.
  Result<Outcome> Receive(int fd);
  /// The next frame that is complete. MALFORMED_REQUEST, PAYLOAD_TOO_LARGE.
  Result<std::optional<Frame>> Next();
  /// True between the first byte of a frame and its last.
  bool within_frame() const { return partial_.has_value() || begin_ != end_; }
  /// Received in all; for deadlines.
  std::uint64_t received_bytes() const { return received_bytes_; }

 private:
  std::pair<char*, std::size_t> Target();
  Status TakeDescriptors(msghdr& message);
  void StartBody(const wire::FrameHeader& header);
  void MoveToBody();
  void Grow(PartialFrame& partial, std::uint32_t received);
  Result<Frame> Complete();

  resource::ByteBudget& budget_;
  std::unique_ptr<char[]> input_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::optional<PartialFrame> partial_;
  std::deque<UniqueFd> descriptors_;
  std::uint64_t received_bytes_ = 0;
};

}  // namespace mlos::api::ipc::socket
