// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "api/ipc/memory/region.h"
#include "api/ipc/memory/ring.h"

namespace mlos::api::ipc::memory {
namespace {

constexpr std::uint64_t kLimit = 1 << 20;
constexpr std::int64_t kLongNs = 100'000'000'000;
constexpr int kSealed = F_SEAL_SHRINK | F_SEAL_GROW;

UniqueFd MakeMemfd(std::uint64_t size, int seals = kSealed) {
  UniqueFd fd(::memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  EXPECT_EQ(::posix_fallocate(fd.get(), 0, static_cast<off_t>(size)), 0);
  EXPECT_EQ(::fcntl(fd.get(), F_ADD_SEALS, seals), 0);
  return fd;
}

struct SealCase {
  int seals;
  bool writable;
  bool mapped;
  bool write_sealed;
};

TEST(MappingTest, SealsDecide) {
  const SealCase cases[] = {
      {0, false, false, false},
      {F_SEAL_SHRINK, false, false, false},
      {F_SEAL_GROW, false, false, false},
      {kSealed, false, true, false},
      {kSealed, true, true, false},
      {kSealed | F_SEAL_WRITE, false, true, true},
      {kSealed | F_SEAL_WRITE, true, false, false},
      // Who has mapped it before may still write.
      {kSealed | F_SEAL_FUTURE_WRITE, false, true, false},
      {kSealed | F_SEAL_FUTURE_WRITE, true, false, false},
  };
  for (const SealCase& test : cases) {
    const auto mapping = Mapping::Create(MakeMemfd(4096, test.seals), test.writable, kLimit);
    ASSERT_EQ(mapping.ok(), test.mapped) << test.seals << mapping.status();
    if (!mapping.ok()) {
      EXPECT_EQ(mapping.status().reason(), Reason::kInvalidField);
      EXPECT_EQ(mapping.status().field(), "descriptor");
    } else {
      EXPECT_EQ(mapping->write_sealed(), test.write_sealed) << test.seals;
    }
  }
}

TEST(MappingTest, HugePagesAreRefused) {
  UniqueFd fd(::memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB));
  if (!fd.valid()) GTEST_SKIP() << "this kernel has none";
  ASSERT_EQ(::ftruncate(fd.get(), 2 << 20), 0);
  ASSERT_EQ(::fcntl(fd.get(), F_ADD_SEALS, kSealed), 0);
  const Status refused = Mapping::Create(std::move(fd), false, 4 << 20).status();
  EXPECT_EQ(refused.reason(), Reason::kInvalidField);
  EXPECT_NE(refused.message().find("huge pages"), std::string_view::npos);
}

TEST(MappingTest, SizesAreBounded) {
  EXPECT_TRUE(Mapping::Create(MakeMemfd(kLimit), false, kLimit).ok());
  EXPECT_EQ(Mapping::Create(MakeMemfd(kLimit + 1), false, kLimit).status().reason(),
            Reason::kPayloadTooLarge);
  UniqueFd holes(::memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  ASSERT_EQ(::ftruncate(holes.get(), 65536), 0);
  ASSERT_EQ(::fcntl(holes.get(), F_ADD_SEALS, kSealed), 0);
  EXPECT_EQ(Mapping::Create(std::move(holes), false, kLimit).status().reason(),
            Reason::kInvalidField);
  EXPECT_FALSE(Mapping::Create(UniqueFd(::open("/dev/null", O_RDONLY)), false, kLimit).ok());
}

TEST(RegionTest, PlacesLieWithin) {
  const Region region(Mapping::Create(MakeMemfd(4096), false, kLimit).value(), wire::Access::kRead);
  EXPECT_TRUE(region.At(0, 4096, "x").ok());
  EXPECT_TRUE(region.At(4096, 0, "x").ok());
  for (const auto& [offset, size] : {std::pair<std::uint64_t, std::uint64_t>{0, 4097},
                                     {4096, 1},
                                     {4097, 0},
                                     {~0ULL, 1},
                                     {64, ~0ULL - 63},
                                     {1, ~0ULL}}) {
    EXPECT_EQ(region.At(offset, size, "x").status().field(), "x") << offset << " " << size;
  }
}

class RingTest : public testing::Test {
 protected:
  static constexpr wire::RingForm kForm = {4, 1024};
  static constexpr std::uint64_t kSize = RingLayout::kSlots + 2 * 4 * 1024;

  void SetUp() override {
    UniqueFd fd = MakeMemfd(kSize);
    memory_ =
        static_cast<char*>(::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0));
    ring_.emplace(
        Ring::Create(Mapping::Create(std::move(fd), true, kLimit).value(), kForm).value());
  }
  void TearDown() override { ::munmap(memory_, kSize); }

  std::uint32_t& Word(std::uint64_t offset) {
    return *reinterpret_cast<std::uint32_t*>(memory_ + offset);
  }
  void Put(std::uint32_t index, std::uint32_t frame_bytes, std::uint8_t descriptors = 0) {
    char header[wire::kHeaderBytes] = {};
    std::memcpy(header, &frame_bytes, sizeof(frame_bytes));
    header[4] = 0x40;
    header[5] = static_cast<char>(descriptors);
    header[8] = static_cast<char>(index + 1);
    std::memcpy(memory_ + RingLayout::kSlots + (index % 4) * 1024, header, sizeof(header));
    Word(RingLayout::kRequestTail) = index + 1;
  }
  Result<std::string> Take() {
    std::string body;
    MLOS_TRY(ring_->TakeRequest([&](const wire::FrameHeader& header) {
      body.resize(header.body_bytes());
      return body.data();
    }));
    return body;
  }

  char* memory_ = nullptr;
  std::optional<Ring> ring_;
};

TEST_F(RingTest, RequestsComeInOrderAndWrap) {
  for (std::uint32_t i = 0; i < 10; ++i) {
    EXPECT_FALSE(ring_->HasRequest().value());
    Put(i, 16 + i);
    ASSERT_TRUE(ring_->HasRequest().value());
    EXPECT_EQ(Take().value().size(), i);
    EXPECT_EQ(Word(RingLayout::kRequestHead), i + 1);
  }
}

TEST_F(RingTest, TailsThatMakeNoSense) {
  for (const std::uint32_t tail : {5U, 0xFFFFFFFFU, 0x80000000U}) {
    Word(RingLayout::kRequestTail) = tail;
    EXPECT_EQ(ring_->HasRequest().status().reason(), Reason::kMalformedRequest) << tail;
  }
}

TEST_F(RingTest, FramesThatDoNotFitTheirSlot) {
  for (const std::uint32_t size : {0U, 15U, 1025U, 0xFFFFFFFFU}) {
    Put(0, size);
    EXPECT_FALSE(Take().ok()) << size;
  }
  Put(0, 16, 1);
  EXPECT_FALSE(Take().ok());
  Put(0, 1024);
  EXPECT_EQ(Take().value().size(), 1008U);
}

TEST_F(RingTest, RepliesWaitForRoom) {
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(ring_->TryReply("reply" + std::to_string(i)).value());
  EXPECT_FALSE(ring_->TryReply("late").value());
  EXPECT_EQ(std::string(memory_ + RingLayout::kSlots + 4 * 1024, 6), "reply0");
  Word(RingLayout::kReplyHead) = 1;
  EXPECT_TRUE(ring_->TryReply("late").value());
  EXPECT_EQ(std::string(memory_ + RingLayout::kSlots + 4 * 1024, 4), "late");
  Word(RingLayout::kReplyHead) = 77;
  EXPECT_EQ(ring_->TryReply("x").status().reason(), Reason::kMalformedRequest);
}

TEST_F(RingTest, ASleeperIsRungFor) {
  ASSERT_TRUE(ring_->TryReply("awake").value());
  EXPECT_EQ(Word(RingLayout::kReplyBell), 0U);
  Word(RingLayout::kReplySleeps) = 1;
  ASSERT_TRUE(ring_->TryReply("asleep").value());
  EXPECT_EQ(Word(RingLayout::kReplyBell), 1U);
  // Awake before it sleeps, or rung for: either way it returns.
  ring_->Sleep(kLongNs, [] { return true; });
  ring_->Sleep(kLongNs, [&] {
    ring_->Wake();
    return false;
  });
  EXPECT_EQ(Word(RingLayout::kRequestSleeps), 0U);
}

TEST(RingFormTest, MemoryIsAsLargeAsTheFormSays) {
  const auto create = [](std::uint64_t size) {
    return Ring::Create(Mapping::Create(MakeMemfd(size), true, kLimit).value(), {4, 1024}).ok();
  };
  EXPECT_TRUE(create(4096 + 8192));
  EXPECT_FALSE(create(4096 + 8191));
}

}  // namespace
}  // namespace mlos::api::ipc::memory
