// SPDX-License-Identifier: MIT
#include "axon/hub/model_spec.h"

#include <algorithm>

namespace axon::hub {
namespace {

using mlos::ModelId;
using mlos::Reason;
using mlos::Result;
using mlos::Status;

/// The rules of git-check-ref-format that keep a name harmless.
bool IsRevision(std::string_view text) {
  constexpr std::size_t kRevisionBytesMax = 256;
  if (text.empty() || text.size() > kRevisionBytesMax || text.front() == '-') return false;
  if (text.front() == '/' || text.back() == '/' || text.back() == '.') return false;
  for (const std::string_view bad : {"..", "//", "@{", "/."}) {
    if (text.find(bad) != std::string_view::npos) return false;
  }
  return std::all_of(text.begin(), text.end(), [](char c) {
    return c > 0x20 && c < 0x7f && std::string_view("~^:?*[\\@").find(c) == std::string_view::npos;
  });
}

}  // namespace

Result<ModelSpec> ModelSpec::Parse(std::string_view text) {
  const std::size_t at = text.find('@');
  const ModelId id = MLOS_TRY(ModelId::Parse(text.substr(0, at)));
  if (id.name_space().empty()) {
    return Status(Reason::kInvalidModelId,
                  "'" + id.text() +
                      "' has no namespace; name a model as namespace/name[@revision], "
                      "for example hf/" +
                      id.text())
        .WithField("model_id");
  }
  ModelSpec spec;
  spec.name_space_ = id.name_space();
  spec.name_ = id.name();
  if (at == std::string_view::npos) return spec;
  spec.revision_ = text.substr(at + 1);
  if (IsRevision(*spec.revision_)) return spec;
  return Status(Reason::kInvalidModelId,
                "'" + *spec.revision_ + "' is not the name of a branch, a tag or a commit")
      .WithField("model_id");
}

Result<ModelId> ModelSpec::InstalledId(std::string_view commit) const {
  const std::string revision = revision_or_latest();
  const std::string_view version = mlos::IsModelIdSegment(revision) ? revision : commit;
  return ModelId::Parse(path() + "@" + std::string(version));
}

}  // namespace axon::hub
