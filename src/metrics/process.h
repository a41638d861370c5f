// SPDX-License-Identifier: MIT
#pragma once

#include "metrics/exposition.h"

namespace mlos::metrics {

/// Adds what this process uses of the machine, under the names that every Prometheus client gives
/// it (https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics). A value that
/// the system does not tell is left out.
void AddProcess(Exposition& page);

}  // namespace mlos::metrics
