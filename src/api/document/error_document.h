// SPDX-License-Identifier: MIT
#pragma once

#include "api/document/json.h"
#include "base/status.h"

namespace mlos::api::document {

/// The members of an error, without the braces: also of a model that could not be loaded.
void WriteErrorMembers(JsonWriter& writer, const Status& status);

}  // namespace mlos::api::document
