// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/model_id.h"
#include "base/result.h"

namespace axon::hub {

inline constexpr std::string_view kLatest = "latest";

/// A user's name for a model: `namespace/name(/name)*[@revision]`. A ModelSpec that exists is
/// valid. Thread-compatible.
class ModelSpec {
 public:
  /// INVALID_MODEL_ID. The revision may be any name git allows for a branch.
  static mlos::Result<ModelSpec> Parse(std::string_view text);

  const std::string& name_space() const { return name_space_; }
  /// What follows the namespace: "google/vit".
  const std::string& name() const { return name_; }
  /// As typed; absent if there is no '@'.
  const std::optional<std::string>& revision() const { return revision_; }
  /// As typed, or "latest".
  std::string revision_or_latest() const { return revision_.value_or(std::string(kLatest)); }
  /// "hf/google/vit", without revision.
  std::string path() const { return name_space_ + "/" + name_; }

  /// The id under which a revision is installed. Its version is the revision itself or, if that
  /// cannot be a version (`dev/feature`), `commit`.
  mlos::Result<mlos::ModelId> InstalledId(std::string_view commit) const;

 private:
  ModelSpec() = default;
  std::string name_space_;
  std::string name_;
  std::optional<std::string> revision_;
};

}  // namespace axon::hub
