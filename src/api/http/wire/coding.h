// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string_view>

#include "net/coding.h"

namespace mlos::api::http::wire {

using net::ContentCoding;

/// "gzip", "deflate"; empty for kIdentity.
std::string_view ToString(ContentCoding coding);

/// The one coding that a Content-Encoding names; nothing where it names another, or several.
std::optional<ContentCoding> ParseCoding(std::string_view content_encoding);

/// The best coding that an Accept-Encoding allows: the one of highest weight, gzip before deflate
/// where they are equal, and kIdentity where it names neither. What cannot be understood counts as
/// not said (RFC 9110, section 12.5.3).
ContentCoding ChooseCoding(std::string_view accept_encoding);

}  // namespace mlos::api::http::wire
