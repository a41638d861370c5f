// SPDX-License-Identifier: MIT
#pragma once

#include "api/http/call/route.h"

namespace mlos::api::http::own {

/// MLOS's own routes (docs/API-REFERENCE.md).
const call::Dialect& Dialect();

}  // namespace mlos::api::http::own
