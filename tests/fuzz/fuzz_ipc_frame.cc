// SPDX-License-Identifier: MIT
// No body makes a decoder of the IPC protocol read beyond it; what an inference decodes to is
// within its bounds, and is the same after it has been encoded again. A socket gives the same
// frames however its bytes arrive, and a ring whose memory holds anything gives frames within their
// slots.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/ipc/memory/region.h"
#include "api/ipc/memory/ring.h"
#include "api/ipc/socket/frame_reader.h"
#include "api/ipc/wire/frame.h"
#include "api/ipc/wire/inference.h"
#include "base/check.h"
#include "base/unique_fd.h"
#include "resource/byte_budget.h"

namespace {

namespace ipc = mlos::api::ipc;
namespace wire = mlos::api::ipc::wire;
using mlos::UniqueFd;

constexpr wire::RingForm kRing = {4, 256};
constexpr std::uint64_t kRingBytes =
    ipc::memory::RingLayout::kSlots + 2 * std::uint64_t{kRing.slots} * kRing.slot_bytes;

void CheckEntry(const wire::TensorEntry& entry, std::uint64_t body_bytes) {
  MLOS_CHECK(entry.offset % wire::kTensorAlignment == 0, "tensors are aligned");
  MLOS_CHECK(entry.shape.size() <= mlos::tensor::kRankMax, "ranks are bounded");
  if (entry.region_id != wire::kInline) return;
  MLOS_CHECK(entry.offset <= body_bytes && entry.size_bytes <= body_bytes - entry.offset,
             "inline tensors lie within the frame");
}

void CheckSame(const wire::TensorEntry& a, const wire::TensorEntry& b) {
  MLOS_CHECK(a.name == b.name && a.dtype == b.dtype && a.shape == b.shape &&
                 a.region_id == b.region_id && a.offset == b.offset && a.size_bytes == b.size_bytes,
             "an entry is read as it was written");
}

void FuzzInfer(std::string_view body) {
  const auto message = wire::DecodeInfer(body);
  if (!message.ok()) return;
  for (const auto& input : message->inputs) {
    CheckEntry(input, body.size());
    if (input.dtype != mlos::tensor::DType::kString || input.region_id != wire::kInline) continue;
    (void)wire::DecodeStrings(body.substr(input.offset, input.size_bytes), input.shape, input.name);
  }
  wire::ByteBuffer frame;
  wire::EncodeInfer(frame, 1, *message);
  // The bytes of inline tensors are the caller's to place; where they do not matter they are zeros.
  std::string again(frame.view().substr(wire::kHeaderBytes));
  if (again.size() < body.size()) again.resize(body.size());
  const auto second = wire::DecodeInfer(again);
  MLOS_CHECK(second.ok() && second->inputs.size() == message->inputs.size() &&
                 second->outputs.size() == message->outputs.size() &&
                 second->model_id == message->model_id && second->fit == message->fit &&
                 second->sequence_id == message->sequence_id &&
                 second->sequence_start == message->sequence_start,
             "an inference is read as it was written");
  for (std::size_t i = 0; i < message->inputs.size(); ++i) {
    CheckSame(message->inputs[i], second->inputs[i]);
  }
}

// The bodies of the frames of `bytes`, which arrive in pieces of `piece` bytes; the last is
// "refused" where what follows was.
std::vector<std::string> ReadFrames(std::string_view bytes, std::size_t piece) {
  static mlos::resource::ByteBudget budget(1 << 20);
  int ends[2];
  MLOS_CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0, "sockets");
  UniqueFd ours(ends[0]);
  const UniqueFd theirs(ends[1]);
  ipc::socket::FrameReader reader(budget);
  std::vector<std::string> bodies;
  while (!bytes.empty()) {
    const std::string_view next = bytes.substr(0, piece);
    bytes.remove_prefix(next.size());
    MLOS_CHECK(
        ::send(theirs.get(), next.data(), next.size(), 0) == static_cast<ssize_t>(next.size()),
        "a socket takes an input");
    MLOS_CHECK(reader.Receive(ours.get()).ok(), "bytes are received");
    while (true) {
      auto frame = reader.Next();
      if (!frame.ok()) {
        bodies.emplace_back("refused");
        return bodies;
      }
      if (!frame->has_value()) break;
      MLOS_CHECK((*frame)->header.frame_bytes >= wire::kHeaderBytes, "frames have a header");
      bodies.emplace_back((*frame)->body());
    }
  }
  return bodies;
}

void FuzzSocket(std::string_view bytes) {
  const auto whole = ReadFrames(bytes, bytes.size());
  const std::size_t piece = 1 + static_cast<unsigned char>(bytes.back()) % 64;
  MLOS_CHECK(whole == ReadFrames(bytes, piece), "arrival does not decide what a frame is");
}

// The memory of a ring as a client may leave it, for this process and its lifetime.
char* RingMemory(int* fd) {
  static const int made = ::memfd_create("ring", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  static char* const memory = [] {
    MLOS_CHECK(::posix_fallocate(made, 0, kRingBytes) == 0, "memory for a ring");
    void* at = ::mmap(nullptr, kRingBytes, PROT_READ | PROT_WRITE, MAP_SHARED, made, 0);
    MLOS_CHECK(at != MAP_FAILED, "memory for a ring");
    ::fcntl(made, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW);
    return static_cast<char*>(at);
  }();
  *fd = made;
  return memory;
}

// The first words are the client's indices, the rest lies in the slots of its requests.
void FuzzRing(std::string_view bytes) {
  using Layout = ipc::memory::RingLayout;
  int fd = -1;
  char* const memory = RingMemory(&fd);
  std::memset(memory, 0, kRingBytes);
  std::memcpy(memory + Layout::kRequestTail, bytes.data(), 4);
  std::memcpy(memory + Layout::kReplyHead, bytes.data() + 4, 4);
  const std::string_view slots = bytes.substr(8, std::size_t{kRing.slots} * kRing.slot_bytes);
  std::memcpy(memory + Layout::kSlots, slots.data(), slots.size());

  auto mapping =
      ipc::memory::Mapping::Create(UniqueFd(::fcntl(fd, F_DUPFD_CLOEXEC, 0)), true, kRingBytes);
  MLOS_CHECK(mapping.ok(), "the memory of a ring is mapped");
  auto ring = ipc::memory::Ring::Create(std::move(mapping).value(), kRing).value();
  std::string body;
  for (std::uint32_t count = 0; count <= kRing.slots; ++count) {
    const auto waits = ring.HasRequest();
    if (!waits.ok() || !*waits) break;
    MLOS_CHECK(count < kRing.slots, "no more requests wait than there are slots");
    const mlos::Status taken = ring.TakeRequest([&](const wire::FrameHeader& header) {
      MLOS_CHECK(header.frame_bytes <= kRing.slot_bytes, "a frame lies within its slot");
      body.resize(header.body_bytes());
      return body.data();
    });
    if (!taken.ok()) break;
  }
  (void)ring.TryReply("a reply");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view frame(reinterpret_cast<const char*>(data), size);
  if (frame.size() < wire::kHeaderBytes) return 0;
  const auto header = wire::DecodeHeader(frame.substr(0, wire::kHeaderBytes));
  if (header.ok()) {
    MLOS_CHECK(header->frame_bytes >= wire::kHeaderBytes, "frames have a header");
    MLOS_CHECK(header->frame_bytes <= wire::kFrameBytesMax, "frames are bounded");
  }
  // Whatever its type: each decoder sees every body.
  FuzzSocket(frame);
  FuzzRing(frame);
  const std::string_view body = frame.substr(wire::kHeaderBytes);
  FuzzInfer(body);
  (void)wire::DecodeResult(body);
  (void)wire::DecodeError(body);
  (void)wire::DecodeHello(body);
  (void)wire::DecodeHelloOk(body);
  (void)wire::DecodeMapRegion(body);
  (void)wire::DecodeUnmapRegion(body);
  (void)wire::DecodeRegionReply(body);
  (void)wire::DecodeRingForm(body);
  return 0;
}
