// SPDX-License-Identifier: MIT
// A repository at a hub and a store, for tests without a network.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "axon/hub/hub.h"
#include "axon/install/plan.h"
#include "axon/store/store.h"
#include "package/onnx/test_model.h"
#include "package/test_folder.h"

namespace axon::install {

/// A hub with one repository. Nothing can be downloaded from it: what was asked for is noted, and
/// its address refuses connections.
class TestHub : public hub::Hub {
 public:
  mlos::Result<hub::RemoteModel> Resolve(const hub::ModelSpec& /*spec*/) override { return remote; }
  mlos::Status CheckAccess(const hub::RemoteModel& /*model*/,
                           const hub::RemoteFile& file) override {
    checked = file.path;
    return allowed;
  }
  mlos::Result<fetch::Url> FileUrl(const hub::RemoteModel& /*model*/,
                                   const hub::RemoteFile& file) const override {
    asked.push_back(file.path);
    return fetch::Url::Parse("http://127.0.0.1:1/" + file.path);
  }
  mlos::Status Explain(const hub::RemoteModel& /*model*/,
                       const fetch::ResponseHead& /*head*/) const override {
    return {mlos::Reason::kServerError, "no answer was expected"};
  }
  fetch::Access& access() override { return access_; }

  hub::RemoteModel remote{
      .hub = "huggingface", .repository = "org/m", .revision = "main", .commit = "c0ffee"};
  mlos::Status allowed;
  std::string checked;
  mutable std::vector<std::string> asked;

 private:
  fetch::Access access_{fetch::Url::Parse("http://127.0.0.1:1").value()};
};

class RepositoryTest : public mlos::package::FolderTest {
 protected:
  store::Store store() const { return store::Store(folder() / "cache"); }

  /// Lists a file at the hub; files are listed in the order of their paths.
  const hub::RemoteFile& List(const std::string& path, const std::string& bytes) {
    fetch::ExpectedContent content{.size_bytes = bytes.size(),
                                   .hex = mlos::package::DigestOf(bytes).Hex()};
    hub_.remote.files.push_back({path, std::move(content)});
    return hub_.remote.files.back();
  }
  /// Lists a file that the store has already.
  void ListStored(const std::string& path, const std::string& bytes) {
    List(path, bytes);
    auto staging = store().Stage();
    ASSERT_TRUE(staging.ok());
    const auto digest = mlos::package::DigestOf(bytes);
    const auto part = store().layout().Part("sha256-" + digest.Hex());
    std::ofstream(part) << bytes;
    ASSERT_TRUE(staging->AddFile(part, digest, "file", {}).ok());
  }

  mlos::Result<Plan> Planned(const std::string& file = "") {
    return MakePlan(store(), hub_, {hub::ModelSpec::Parse("hf/org/m").value(), file});
  }

  TestHub hub_;
};

}  // namespace axon::install
