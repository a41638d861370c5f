// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/status.h"

namespace mlos::api::http::call {

/// How one way to fail shows over HTTP.
struct ErrorRow {
  Reason reason;
  unsigned http_status;
  std::string_view meaning;
};

/// One row for each Reason, in their order: the only place where reasons become HTTP statuses.
std::span<const ErrorRow> ErrorTable();

unsigned HttpStatus(Reason reason);

/// The table as docs/API-REFERENCE.md has it.
std::string ErrorTableMarkdown();

}  // namespace mlos::api::http::call
