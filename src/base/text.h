// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mlos {

/// Bytes of the well-formed UTF-8 character at the front of `text`, which is not empty; 0 if there
/// is none.
std::size_t Utf8Length(std::string_view text);

/// Well-formed UTF-8: no overlong form, no surrogate, nothing above U+10FFFF (RFC 3629).
bool IsValidUtf8(std::string_view text);

/// A stranger's text for a message: at most `bytes_max` bytes of it, then "…" if it is longer, and
/// '?' for control characters and for bytes that are not UTF-8.
std::string Excerpt(std::string_view text, std::size_t bytes_max = 80);

/// `text` with \uXXXX, as in JSON, in place of every character that a terminal or an editor would
/// obey or hide: control characters (C0, C1 and DEL), line separators, marks of direction, and
/// others without a shape; \ufffd in place of bytes that are not UTF-8. What is JSON stays JSON.
std::string Escaped(std::string_view text);

}  // namespace mlos
