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

/// A repository at one commit, as its hub describes it. Plain data; nothing in it is trusted but
/// its form.
struct RemoteModel {
  /// "huggingface".
  std::string hub;
  /// The repository's id at the hub.
  std::string repository;
  /// What was asked for ("main").
  std::string revision;
  /// What that meant when it was asked.
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

/// A place that models come from. Thread-compatible.
class Hub {
 public:
  virtual ~Hub() = default;

  /// Finds out what a spec means now: the commit, and every file at that commit.
  virtual mlos::Result<RemoteModel> Resolve(const ModelSpec& spec) = 0;
  /// OK where `file` may be downloaded, asked before anything is.
  virtual mlos::Status CheckAccess(const RemoteModel& model, const RemoteFile& file) = 0;
  /// Where `file` is downloaded from.
  virtual mlos::Result<fetch::Url> FileUrl(const RemoteModel& model,
                                           const RemoteFile& file) const = 0;
  /// The failure behind a response to FileUrl() that is not a success.
  virtual mlos::Status Explain(const RemoteModel& model, const fetch::ResponseHead& head) const = 0;
  /// What a download of FileUrl() must go through.
  virtual fetch::Access& access() = 0;
};

/// What adapters need to know.
struct HubSettings {
  fetch::Url huggingface_endpoint;
  std::string huggingface_token;
  fetch::ClientOptions client;
};

}  // namespace axon::hub
