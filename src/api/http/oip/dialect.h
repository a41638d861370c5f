// SPDX-License-Identifier: MIT
#pragma once

#include "api/http/call/route.h"

namespace mlos::api::http::oip {

/// The Open Inference Protocol and Triton's extensions of it (docs/OPEN-INFERENCE-PROTOCOL.md).
const call::Dialect& Dialect();

}  // namespace mlos::api::http::oip
