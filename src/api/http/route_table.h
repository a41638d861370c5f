// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "api/http/call/route.h"

namespace mlos::api::http {

/// Every route of the server.
std::span<const call::Route> Routes();

}  // namespace mlos::api::http
