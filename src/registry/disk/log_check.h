// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>

namespace mlos::registry::disk {

/// Where SQLite keeps the log of a database.
std::filesystem::path LogPathOf(const std::filesystem::path& database);

/// Whether a byte of SQLite's write-ahead log was changed, so that SQLite passes over what was
/// committed behind it without a word. A transaction that a kill cut off is no damage; nor is it
/// that there is no log. The format: https://sqlite.org/fileformat.html#the_write_ahead_log.
bool LogIsDamaged(const std::filesystem::path& log);

}  // namespace mlos::registry::disk
