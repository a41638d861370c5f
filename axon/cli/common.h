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

/// How servers are to be treated, and the hub of a namespace.
fetch::Patience PatienceOf(const config::Config& config);
mlos::Result<std::unique_ptr<hub::Hub>> OpenHub(const Context& context,
                                                std::string_view name_space);

/// The installed models a user means by `namespace/name[@version]`: the version, or every one there
/// is. MODEL_NOT_FOUND where that is none.
mlos::Result<std::vector<store::InstalledModel>> FindInstalled(const store::Store& store,
                                                               const std::string& text);
/// The same where only one can be meant: without '@' it is `latest`, or the only version.
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
