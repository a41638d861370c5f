// SPDX-License-Identifier: MIT
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <string_view>

namespace mlos::registry::disk {

/// Gives a connection the SQL function `seal_of(table, value, …)`: the first 64 bits of a SHA-256
/// over the values, their types and lengths. A row holds that of its own values and is damaged
/// where it differs. It finds what a disk does to a row, not what somebody does who may write the
/// file. Returns SQLite's code.
int AddSealFunction(sqlite3* handle);

/// The first 64 bits of a SHA-256 over a text.
std::uint64_t SealOf(std::string_view text);

}  // namespace mlos::registry::disk
