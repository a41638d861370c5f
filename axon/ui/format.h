// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace axon::ui {

/// "0 B", "999 B", "1.5 KiB", "12.3 GiB": at most four digits and a binary unit.
std::string FormatBytes(std::uint64_t size_bytes);

/// "8s", "3m07s", "2h05m".
std::string FormatSeconds(std::uint64_t seconds);

/// `text` without anything that a terminal would obey: control characters, C1 controls and bytes
/// that are not UTF-8 become '?'. Line feeds and tabs stay. Text from a hub, a file or a server
/// must pass through this before it is shown.
std::string Printable(std::string_view text);

/// Columns padded to their widest cell, two spaces apart, no trailing spaces, one line a row.
std::string FormatTable(const std::vector<std::vector<std::string>>& rows);

}  // namespace axon::ui
