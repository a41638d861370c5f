// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "probe/request.h"

namespace mlos::probe {

/// The two messages between Core and its probe, as JSON. INTERNAL for text that neither wrote.
std::string WriteRequest(const Request& request);
Result<Request> ReadRequest(std::string_view text);

std::string WriteReport(const Status& status);
/// The status that was written; `Result` for the text itself.
struct Report {
  Status status;
};
Result<Report> ReadReport(std::string_view text);

}  // namespace mlos::probe
