// SPDX-License-Identifier: MIT
#pragma once

#include "registry/disk/sqlite.h"

namespace mlos::registry {

/// Brings the file to this version's tables, one step at a time, all or nothing. UNIMPLEMENTED
/// where a newer MLOS wrote it, STORE_CORRUPT where it is some other program's.
Status Migrate(disk::Database& database);

/// Whether Migrate has steps to do. The same failures.
Result<bool> NeedsMigration(disk::Database& database);

/// STORE_CORRUPT where a table, an index or a trigger is not as Migrate made it.
Status CheckLayout(disk::Database& database);

}  // namespace mlos::registry
