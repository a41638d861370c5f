// SPDX-License-Identifier: MIT
#pragma once

// From what callers ask for to what is stored.

#include <string>

#include "base/model_id.h"
#include "base/status.h"
#include "catalog/model_finder.h"
#include "catalog/model_info.h"
#include "catalog/plugin_info.h"
#include "registry/records.h"

namespace mlos::catalog {

/// INVALID_FIELD for texts that are too long or no text.
Status CheckModelRequest(const RegisterModelRequest& request);

/// What is stored of the model: what the request says, the manifest where it says nothing.
registry::ModelRecord RecordOf(const ModelId& id, const RegisterModelRequest& request,
                               const FoundModel& found, const std::string& plugin_id);

/// The schema as far as the files tell it, for a model that is not loaded.
engine::ModelSchema SchemaOf(const package::ModelFiles& files);

/// MISSING_FIELD or INVALID_FIELD, with the field at fault.
Status CheckPluginRequest(const RegisterPluginRequest& request);

/// The registration that `request` asks for, with what it leaves out taken from `existing`.
registry::PluginRecord MergedRecord(const RegisterPluginRequest& request,
                                    const registry::PluginRecord& existing);

/// Equal but for the time and what became of it.
bool SameContent(const registry::ModelRecord& a, const registry::ModelRecord& b);
bool SameContent(const registry::PluginRecord& a, const registry::PluginRecord& b);

}  // namespace mlos::catalog
