// SPDX-License-Identifier: MIT
#include "registry/disk/log_check.h"

#include <cstdint>
#include <string>
#include <string_view>

#include "base/files.h"

namespace mlos::registry::disk {
namespace {

constexpr std::uint64_t kLogBytesMax = 1ULL << 30;
constexpr std::size_t kHeaderBytes = 32;
constexpr std::size_t kHeaderSummed = 24;
constexpr std::size_t kFrameHeaderBytes = 24;
constexpr std::size_t kFrameHeaderSummed = 8;
constexpr std::size_t kFrameSumAt = 16;
constexpr std::size_t kSaltBytes = 8;
constexpr std::uint32_t kPageBytesMin = 512;
constexpr std::uint32_t kPageBytesMax = 65536;

std::uint32_t BigEndian(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = at; i < at + sizeof value; ++i) {
    value = value << 8 | static_cast<unsigned char>(bytes[i]);
  }
  return value;
}

std::uint32_t LittleEndian(std::string_view bytes, std::size_t at) {
  return __builtin_bswap32(BigEndian(bytes, at));
}

/// The running sum of a log, as SQLite defines it.
class Sum {
 public:
  explicit Sum(bool big_endian) : word_(big_endian ? &BigEndian : &LittleEndian) {}

  void Add(std::string_view bytes) {
    constexpr std::size_t kWord = sizeof(std::uint32_t);
    for (std::size_t at = 0; at + 2 * kWord <= bytes.size(); at += 2 * kWord) {
      first_ += word_(bytes, at) + second_;
      second_ += word_(bytes, at + kWord) + first_;
    }
  }
  /// Whether it is the one that stands at `at`.
  bool Matches(std::string_view bytes, std::size_t at) const {
    return first_ == BigEndian(bytes, at) && second_ == BigEndian(bytes, at + sizeof first_);
  }

 private:
  std::uint32_t (*word_)(std::string_view, std::size_t);
  std::uint32_t first_ = 0;
  std::uint32_t second_ = 0;
};

/// A frame's header: page, size of the database behind a commit (else 0), salts, sum.
bool Commits(std::string_view frame) { return BigEndian(frame, 4) != 0; }

/// Whether a frame is of the log's present turn: its salt is the header's, but for a changed byte.
/// Those of another turn have random salts.
bool IsOfTurn(std::string_view frame, std::string_view salt) {
  constexpr std::size_t kSaltAt = 8;
  std::size_t differing = 0;
  for (std::size_t i = 0; i < kSaltBytes; ++i) differing += frame[kSaltAt + i] != salt[i] ? 1 : 0;
  return differing <= 1;
}

/// `frames` begins at the first frame.
bool FramesAreDamaged(std::string_view frames, std::size_t frame_bytes, std::string_view salt,
                      Sum sum) {
  bool broken = false;
  for (; frames.size() >= frame_bytes; frames.remove_prefix(frame_bytes)) {
    const std::string_view frame = frames.substr(0, frame_bytes);
    if (!broken) {
      sum.Add(frame.substr(0, kFrameHeaderSummed));
      sum.Add(frame.substr(kFrameHeaderBytes));
      broken =
          frame.substr(kFrameHeaderSummed, kSaltBytes) != salt || !sum.Matches(frame, kFrameSumAt);
    }
    // What was committed in this turn of the log, SQLite does not read any more.
    if (broken && IsOfTurn(frame, salt) && Commits(frame)) return true;
  }
  return false;
}

}  // namespace

std::filesystem::path LogPathOf(const std::filesystem::path& database) {
  return database.native() + "-wal";
}

bool LogIsDamaged(const std::filesystem::path& log) {
  const Result<std::string> bytes = ReadFile(log, kLogBytesMax);
  if (!bytes.ok()) return bytes.status().reason() == Reason::kIoError;
  const std::string_view all = *bytes;
  if (all.size() < kHeaderBytes) return false;
  const std::uint32_t page_bytes = BigEndian(all, 8);
  Sum sum((BigEndian(all, 0) & 1) != 0);
  sum.Add(all.substr(0, kHeaderSummed));
  if (!sum.Matches(all, kHeaderSummed)) return true;
  if (page_bytes < kPageBytesMin || page_bytes > kPageBytesMax) return true;
  return FramesAreDamaged(all.substr(kHeaderBytes), kFrameHeaderBytes + page_bytes,
                          all.substr(16, kSaltBytes), sum);
}

}  // namespace mlos::registry::disk
