// SPDX-License-Identifier: MIT
#pragma once

#include <onnxruntime_c_api.h>

#include "mlos/smi_spec.h"

namespace mlos::onnx {

/// ONNX Runtime's logging function: passes its lines on to the host, which is `host`, or drops them
/// where that is null.
void ORT_API_CALL LogToHost(void* host, OrtLoggingLevel severity, const char* category,
                            const char* log_id, const char* location, const char* message);

}  // namespace mlos::onnx
