// SPDX-License-Identifier: MIT
#include "axon/hub/hub.h"

#include <algorithm>

namespace axon::hub {

const RemoteFile* RemoteModel::Find(std::string_view path) const {
  const auto found = std::find_if(files.begin(), files.end(),
                                  [path](const RemoteFile& file) { return file.path == path; });
  return found == files.end() ? nullptr : &*found;
}

}  // namespace axon::hub
