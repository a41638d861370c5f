// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "axon/hub/hub.h"
#include "base/result.h"

namespace axon::hub {

/// Reads `GET /api/models/{id}/revision/{revision}` into everything of a RemoteModel but its files.
/// The text is untrusted: MALFORMED_JSON if it differs from the documentation.
mlos::Result<RemoteModel> ParseModelInfo(std::string_view json);

/// Reads one page of `GET /api/models/{id}/tree/{commit}` and appends its files. Skips directories.
/// UNSAFE_PATH for a file name that leads elsewhere or is hidden.
mlos::Status ParseTreePage(std::string_view json, std::vector<RemoteFile>& files);

/// The target of `rel="next"` in a Link header (RFC 8288); empty if there is none.
std::string_view NextLink(std::string_view link_header);

}  // namespace axon::hub
