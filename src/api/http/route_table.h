// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "api/http/routes.h"

namespace mlos::api::http {

/// Every route of the server.
std::span<const Route> Routes();

}  // namespace mlos::api::http
