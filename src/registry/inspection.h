// SPDX-License-Identifier: MIT
#pragma once

#include "base/status.h"
#include "registry/disk/sqlite.h"
#include "registry/findings.h"

namespace mlos::registry {

/// Checks the structure of the whole file, which says "ok" or what is wrong. STORE_CORRUPT.
Status CheckStructure(disk::Database& database);

/// Checks the seals of a file that has this version's layout, and its structure with them.
Findings Inspect(disk::Database& database);

}  // namespace mlos::registry
