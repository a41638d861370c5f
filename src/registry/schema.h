// SPDX-License-Identifier: MIT
#pragma once

#include "registry/sqlite.h"

namespace mlos::registry {

/// Brings the file to this version's tables, one step at a time, all or nothing. UNIMPLEMENTED
/// where a newer MLOS wrote it, STORE_CORRUPT where it is some other program's.
Status Migrate(Database& database);

}  // namespace mlos::registry
