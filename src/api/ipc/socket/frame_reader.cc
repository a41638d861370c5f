// SPDX-License-Identifier: MIT
#include "api/ipc/socket/frame_reader.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace mlos::api::ipc::socket {
namespace {

constexpr std::size_t kInputBytes = 64 << 10;
// Reserved of a large body before it has come.
constexpr std::uint32_t kReserveAhead = 256 << 10;
// Requests in flight are few enough for this much each.
constexpr std::uint32_t kUncountedBytes = 4 << 10;
// Descriptors that have come ahead of their frames.
constexpr std::size_t kWaitingMax = 4 * wire::kDescriptorsMax;

}  // namespace

void AllocateBody(Frame& frame, resource::ByteBudget& budget, std::uint32_t counted_max) {
  const std::uint32_t size = frame.header.body_bytes();
  if (size == 0) return;
  if (size > kUncountedBytes) {
    Result<resource::Reservation> reservation = budget.Reserve(std::min(size, counted_max));
    if (!reservation.ok()) {
      frame.refusal = std::move(reservation).status();
      return;
    }
    frame.reservation = std::move(reservation).value();
  }
  Result<tensor::Buffer> buffer = tensor::Buffer::Allocate(size);
  if (!buffer.ok()) {
    frame.refusal = std::move(buffer).status();
    return;
  }
  frame.buffer = std::move(buffer).value();
}

// A large body is received where it will stay, everything else into the input buffer.
std::pair<char*, std::size_t> FrameReader::Target() {
  if (partial_ && begin_ == end_ && partial_->left() > kInputBytes &&
      partial_->frame.buffer.data() != nullptr) {
    return {static_cast<char*>(partial_->frame.buffer.data()) + partial_->received,
            partial_->left()};
  }
  if (input_ == nullptr) input_ = std::make_unique_for_overwrite<char[]>(kInputBytes);
  if (begin_ != 0) {
    std::memmove(input_.get(), input_.get() + begin_, end_ - begin_);
    end_ -= std::exchange(begin_, 0);
  }
  return {input_.get() + end_, kInputBytes - end_};
}

Result<FrameReader::Outcome> FrameReader::Receive(int fd) {
  const auto [data, size] = Target();
  iovec part{data, size};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * wire::kDescriptorsMax)];
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  const ssize_t got = ::recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (got < 0) return errno == EAGAIN || errno == EINTR ? Outcome::kEmpty : Outcome::kEnd;
  MLOS_TRY(TakeDescriptors(message));
  if (got == 0) return Outcome::kEnd;
  const auto count = static_cast<std::size_t>(got);
  received_bytes_ += count;
  if (data == input_.get() + end_) {
    end_ += count;
  } else {
    Grow(*partial_, static_cast<std::uint32_t>(count));
  }
  return count == size ? Outcome::kSome : Outcome::kEmpty;
}

Status FrameReader::TakeDescriptors(msghdr& message) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof(int));
      descriptors_.emplace_back(fd);
    }
  }
  if ((message.msg_flags & MSG_CTRUNC) == 0 && descriptors_.size() <= kWaitingMax) {
    return OkStatus();
  }
  descriptors_.clear();
  return {Reason::kMalformedRequest, "more descriptors came than a frame may bring"};
}

Result<std::optional<Frame>> FrameReader::Next() {
  if (!partial_) {
    if (end_ - begin_ < wire::kHeaderBytes) {
      if (begin_ == end_ && !descriptors_.empty()) {
        return Status(Reason::kMalformedRequest, "descriptors came that no frame announces");
      }
      return std::optional<Frame>();
    }
    const wire::FrameHeader header =
        MLOS_TRY(wire::DecodeHeader({input_.get() + begin_, wire::kHeaderBytes}));
    begin_ += wire::kHeaderBytes;
    StartBody(header);
  }
  MoveToBody();
  if (partial_->left() != 0) return std::optional<Frame>();
  return std::optional<Frame>(MLOS_TRY(Complete()));
}

// The memory is asked for at once, and neither touched nor counted before its bytes come.
void FrameReader::StartBody(const wire::FrameHeader& header) {
  PartialFrame& partial = partial_.emplace();
  partial.frame.header = header;
  AllocateBody(partial.frame, budget_, kReserveAhead);
}

void FrameReader::MoveToBody() {
  PartialFrame& partial = *partial_;
  const std::size_t count = std::min<std::size_t>(end_ - begin_, partial.left());
  if (count == 0) return;
  if (partial.frame.buffer.data() != nullptr) {
    std::memcpy(static_cast<char*>(partial.frame.buffer.data()) + partial.received,
                input_.get() + begin_, count);
  }
  begin_ += count;
  Grow(partial, static_cast<std::uint32_t>(count));
}

void FrameReader::Grow(PartialFrame& partial, std::uint32_t received) {
  partial.received += received;
  Frame& frame = partial.frame;
  const std::uint64_t wanted = std::min<std::uint64_t>(
      frame.header.body_bytes(), std::uint64_t{partial.received} * 2 + kReserveAhead);
  const bool counted = frame.buffer.data() != nullptr && frame.reservation.bytes() != 0;
  if (!counted || wanted <= frame.reservation.bytes()) return;
  Status grown = frame.reservation.Resize(wanted);
  if (grown.ok()) return;
  frame.refusal = std::move(grown);
  frame.buffer = tensor::Buffer();
  frame.reservation = resource::Reservation();
}

Result<Frame> FrameReader::Complete() {
  Frame frame = std::move(partial_->frame);
  partial_.reset();
  if (descriptors_.size() < frame.header.descriptors) {
    return Status(Reason::kMalformedRequest, "a frame announces descriptors that have not come");
  }
  for (std::uint8_t i = 0; i < frame.header.descriptors; ++i) {
    frame.descriptors.push_back(std::move(descriptors_.front()));
    descriptors_.pop_front();
  }
  return frame;
}

}  // namespace mlos::api::ipc::socket
