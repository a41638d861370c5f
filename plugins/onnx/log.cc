// SPDX-License-Identifier: MIT
#include "onnx/log.h"

namespace mlos::onnx {
namespace {

smi_log_level_t LevelOf(OrtLoggingLevel severity) {
  switch (severity) {
    case ORT_LOGGING_LEVEL_VERBOSE:
    case ORT_LOGGING_LEVEL_INFO:
      return SMI_LOG_DEBUG;
    case ORT_LOGGING_LEVEL_WARNING:
      return SMI_LOG_WARNING;
    default:
      return SMI_LOG_ERROR;
  }
}

}  // namespace

void ORT_API_CALL LogToHost(void* host, OrtLoggingLevel severity, const char* /*category*/,
                            const char* /*log_id*/, const char* /*location*/, const char* message) {
  const auto* services = static_cast<const smi_host_t*>(host);
  if (services != nullptr) services->log(services, LevelOf(severity), message);
}

}  // namespace mlos::onnx
