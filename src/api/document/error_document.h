// SPDX-License-Identifier: MIT
#pragma once

#include "base/status.h"
#include "json/json_writer.h"

namespace mlos::api::document {

using json::JsonWriter;

/// The members of an error, without the braces: also of a model that could not be loaded.
void WriteErrorMembers(JsonWriter& writer, const Status& status);

}  // namespace mlos::api::document
