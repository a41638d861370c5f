// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "axon/cli/command.h"
#include "axon/fetch/download.h"
#include "axon/hub/hub.h"
#include "axon/hub/model_spec.h"
#include "axon/store/store.h"
#include "axon/ui/json_writer.h"
#include "base/result.h"
#include "package/manifest.h"

namespace axon::cli {

/// The store of this configuration.
store::Store OpenStore(const Context& context);

/// The settings for servers, and the hub of a namespace.
fetch::Timeouts TimeoutsOf(const config::Config& config);
mlos::Result<std::unique_ptr<hub::Hub>> OpenHub(const Context& context,
                                                std::string_view name_space);

/// The installed models that `namespace/name[@version]` names: that version, or all versions.
/// MODEL_NOT_FOUND if there is none.
mlos::Result<std::vector<store::InstalledModel>> FindInstalled(const store::Store& store,
                                                               const std::string& text);
/// The same for exactly one model: without '@' it is `latest`, or the only version.
mlos::Result<store::InstalledModel> FindOneInstalled(const store::Store& store,
                                                     const std::string& text);

/// The manifest of an installed model.
mlos::Result<mlos::package::ParsedManifest> ReadInstalledManifest(
    const store::InstalledModel& model);

/// "int64[-1,3]", "string[]", "float32[?]".
std::string TypeOf(const mlos::package::IoTensor& tensor);

/// Adds the keys `hub`, `repository`, `revision` and `commit` as the object `source`.
void WriteSource(ui::JsonWriter& json, const mlos::package::Source& source);

/// The sum of the files a manifest lists.
std::uint64_t BytesOf(const mlos::package::Manifest& manifest);

}  // namespace axon::cli
