// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "catalog/model_info.h"
#include "json/document.h"
#include "json/json_writer.h"

// What the doors that speak JSON read and write of models: one table of fields for all of them. The
// writers write members, without the braces of the object.
namespace mlos::api::document {

using json::JsonWriter;

/// MISSING_FIELD, INVALID_FIELD or INVALID_MODEL_ID, with the member as field.
Result<catalog::RegisterModelRequest> ReadModelRequest(const json::Document& document);

void WriteModel(JsonWriter& writer, const catalog::ModelInfo& model);
void WriteModels(JsonWriter& writer, const std::vector<catalog::ModelInfo>& models);
void WriteRegistered(JsonWriter& writer, const catalog::RegisterModelOutcome& outcome);
/// After a request that changed the state of a model; `message` says which.
void WriteModelState(JsonWriter& writer, const catalog::ModelInfo& model, std::string_view message);
void WriteModelRemoved(JsonWriter& writer, std::string_view model_id);

}  // namespace mlos::api::document
