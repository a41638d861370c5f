// SPDX-License-Identifier: MIT
#pragma once

#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

namespace mlos {

/// Decompresses a gzip file (RFC 1952), of one member or several, or a zlib stream (RFC 1950), and
/// finds whatever is wrong with it: the checksums and lengths at their ends are compared, and
/// nothing else may follow. Thread-compatible.
///
///     while (inflater.problem().empty()) {
///       if (inflater.hungry()) … Give more, or break if there is no more …
///       count = inflater.Next(out, room);
///     }
class Inflater {
 public:
  enum class Format : std::uint8_t { kGzip, kZlib };

  explicit Inflater(Format format) : format_(format) {
    constexpr int kWindowBits = 15;  // the largest
    constexpr int kGzipOnly = 16;
    const int bits = format == Format::kGzip ? kWindowBits + kGzipOnly : kWindowBits;
    ready_ = inflateInit2(&stream_, bits) == Z_OK;
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() { inflateEnd(&stream_); }

  /// False if there was no memory.
  bool ready() const { return ready_; }

  /// Lends it more of the input, once it is hungry, until it is hungry again.
  void Give(std::string_view input) {
    // zlib's interface lacks the const that its documentation promises.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
    rest_ = input.size();
  }
  /// It has used its input; it may have output left.
  bool hungry() const { return rest_ == 0 && stream_.avail_in == 0; }

  /// Writes up to `room` bytes to `out` and returns their number. If it is 0 and it is hungry,
  /// nothing is left.
  std::size_t Next(char* out, std::size_t room) {
    if (ended_ && hungry()) return 0;
    if (ended_ && !BeginMember()) return 0;
    if (stream_.avail_in == 0) {
      // zlib counts its input in 32 bits.
      stream_.avail_in =
          static_cast<uInt>(std::min<std::size_t>(rest_, std::numeric_limits<uInt>::max()));
      rest_ -= stream_.avail_in;
    }
    stream_.next_out = reinterpret_cast<Bytef*>(out);
    stream_.avail_out = static_cast<uInt>(room);
    const int result = inflate(&stream_, Z_NO_FLUSH);
    ended_ = result == Z_STREAM_END;
    const bool goes_on = result == Z_OK || result == Z_BUF_ERROR;
    if (!ended_ && !goes_on) problem_ = ProblemOf(stream_.msg);
    return room - stream_.avail_out;
  }

  /// What is wrong so far, to follow the name of the input; empty if nothing is.
  std::string_view problem() const { return problem_; }
  /// The same if there is no more input.
  std::string_view ProblemAtEnd() const {
    return problem_.empty() && !ended_ ? "is cut off" : problem_;
  }

 private:
  bool BeginMember() {
    if (format_ == Format::kZlib) {
      problem_ = "has bytes behind its end";
      return false;
    }
    ended_ = false;
    later_member_ = true;
    return inflateReset(&stream_) == Z_OK;
  }

  std::string_view ProblemOf(const char* message) const {
    const std::string_view said = message == nullptr ? "" : message;
    if (said == "incorrect data check") return "has a checksum that its content does not have";
    if (said == "incorrect length check") return "has a length that its content does not have";
    if (said != "incorrect header check") return "is damaged";
    if (later_member_) return "has bytes behind its end";
    return format_ == Format::kGzip ? "is no gzip file" : "is no zlib stream (RFC 1950)";
  }

  const Format format_;
  z_stream stream_{};
  std::size_t rest_ = 0;
  std::string_view problem_;
  bool ready_ = false;
  bool ended_ = false;
  bool later_member_ = false;
};

}  // namespace mlos
