// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "axon/fetch/access.h"
#include "axon/fetch/client.h"
#include "axon/fetch/download_item.h"
#include "axon/hub/model_spec.h"
#include "base/result.h"

namespace axon::hub {

/// A file of a repository at one commit.
struct RemoteFile {
  /// Safe in the sense of IsSafeRelativePath.
  std::string path;
  fetch::ExpectedContent content;
};

/// A repository at one commit, as its hub describes it. Plain data; only its form has been checked.
struct RemoteModel {
  /// "huggingface".
  std::string hub;
  /// The repository's id at the hub.
  std::string repository;
  /// The requested revision ("main").
  std::string revision;
  /// The commit that it resolved to.
  std::string commit;
  std::string description;
  std::string license;
  std::string homepage;
  std::string library;
  std::vector<std::string> tags;
  bool gated = false;
  /// Sorted by path.
  std::vector<RemoteFile> files;

  /// The file at `path`, or nullptr.
  const RemoteFile* Find(std::string_view path) const;
};

/// A source of models. Thread-compatible.
class Hub {
 public:
  virtual ~Hub() = default;

  /// Resolves a spec to its current commit and the files of that commit.
  virtual mlos::Result<RemoteModel> Resolve(const ModelSpec& spec) = 0;
  /// OK if `file` may be downloaded. Called before the first download.
  virtual mlos::Status CheckAccess(const RemoteModel& model, const RemoteFile& file) = 0;
  /// The address of `file`.
  virtual mlos::Result<fetch::Url> FileUrl(const RemoteModel& model,
                                           const RemoteFile& file) const = 0;
  /// The failure behind a response to FileUrl() that is not a success.
  virtual mlos::Status Explain(const RemoteModel& model, const fetch::ResponseHead& head) const = 0;
  /// The rules for a download of FileUrl().
  virtual fetch::Access& access() = 0;
};

/// Settings of the adapters.
struct HubSettings {
  fetch::Url huggingface_endpoint;
  std::string huggingface_token;
  fetch::ClientOptions client;
};

}  // namespace axon::hub
