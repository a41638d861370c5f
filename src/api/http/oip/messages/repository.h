// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "api/http/wire/message.h"
#include "base/result.h"
#include "catalog/model_info.h"
#include "net/byte_buffer.h"

// Triton's model repository extension, over the models that are registered.
namespace mlos::api::http::oip::messages {

/// The reply to POST /v2/repository/index, whose body is `body`: all models, or those that answer.
/// MALFORMED_JSON, INVALID_FIELD.
Result<wire::Reply> RepositoryIndex(const net::ByteBuffer& body,
                                    const std::vector<catalog::ModelInfo>& models,
                                    resource::ByteBudget& budget);

/// The body of POST /v2/repository/models/{id}/load: nothing, or parameters, of which none is
/// offered. UNIMPLEMENTED, MALFORMED_JSON, INVALID_FIELD.
Status CheckLoadRequest(const net::ByteBuffer& body);
/// The same for …/unload. `unload_dependents` is taken, as no model depends on another.
Status CheckUnloadRequest(const net::ByteBuffer& body);

}  // namespace mlos::api::http::oip::messages
