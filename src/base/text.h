// SPDX-License-Identifier: MIT
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace mlos {

/// Bytes of the well-formed UTF-8 character at the front of `text`, which is not empty; 0 if there
/// is none.
std::size_t Utf8Length(std::string_view text);

/// Well-formed UTF-8: no overlong form, no surrogate, nothing above U+10FFFF (RFC 3629).
bool IsValidUtf8(std::string_view text);

/// Bytes at the front of `text` that stand for themselves everywhere: printable ASCII without '"'
/// and '\\'. Eight at a time: nearly all names and header values are of nothing else, and who finds
/// that out first is spared a look at each character.
inline std::size_t PlainLength(std::string_view text);
inline bool IsPlain(std::string_view text) { return PlainLength(text) == text.size(); }

/// A stranger's text for a message: at most `bytes_max` bytes of it, then "…" if it is longer, and
/// '?' for control characters and for bytes that are not UTF-8.
std::string Excerpt(std::string_view text, std::size_t bytes_max = 80);

/// `text` with \uXXXX, as in JSON, in place of every character that a terminal or an editor would
/// obey or hide: control characters (C0, C1 and DEL), line separators, marks of direction, and
/// others without a shape; \ufffd in place of bytes that are not UTF-8. What is JSON stays JSON.
std::string Escaped(std::string_view text);

namespace text_internal {

/// The top bit of the first byte that is not plain, and maybe of some behind it; 0 if all are. A
/// byte below n borrows from its top bit when n is taken off; what it borrows from the next byte
/// reaches only bytes behind the first one (little endian).
inline std::uint64_t NotPlain(std::uint64_t bytes) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  const auto below = [](std::uint64_t word, std::uint64_t n) { return (word - kOnes * n) & ~word; };
  const auto equal = [&](char c) {
    return below(bytes ^ (kOnes * static_cast<unsigned char>(c)), 1);
  };
  return (bytes | below(bytes, ' ') | equal('"') | equal('\\') | equal('\x7f')) & (kOnes << 7);
}

}  // namespace text_internal

inline std::size_t PlainLength(std::string_view text) {
  static_assert(std::endian::native == std::endian::little);
  constexpr std::size_t kStep = sizeof(std::uint64_t);
  for (std::size_t at = 0; at < text.size(); at += kStep) {
    std::uint64_t bytes = 0x2020202020202020;
    if (text.size() - at >= kStep) {
      std::memcpy(&bytes, text.data() + at, kStep);
    } else {
      std::memcpy(&bytes, text.data() + at, text.size() - at);
    }
    if (const std::uint64_t other = text_internal::NotPlain(bytes); other != 0) {
      return at + static_cast<std::size_t>(std::countr_zero(other)) / 8;
    }
  }
  return text.size();
}

}  // namespace mlos
