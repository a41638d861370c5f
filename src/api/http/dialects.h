// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "api/http/call/route.h"

namespace mlos::api::http {

/// What the server speaks; the last one has the paths that belong to no other.
std::span<const call::Dialect* const> Dialects();

}  // namespace mlos::api::http
