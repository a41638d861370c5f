// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <string>

#include "axon/fetch/access.h"
#include "axon/fetch/cancel.h"
#include "axon/fetch/client.h"
#include "base/result.h"

namespace axon::core {

/// The registration of a model; the fields of POST /models/register.
struct Registration {
  std::string model_id;
  std::string name;
  std::string framework;
  std::string execution_format;
  /// Absolute; Core reads the files in place.
  std::string path;
  std::string description;
  std::string manifest_path;
};

/// Speaks to a running MLOS Core over HTTP. Fails with NETWORK if Core cannot be reached, and with
/// SERVER_ERROR and Core's own message if it refuses. Thread-compatible.
class CoreClient {
 public:
  /// `stall` limits the time without an answer: loading a large model takes a while.
  CoreClient(const fetch::Url& endpoint, const fetch::CancelFlag& cancel,
             std::chrono::seconds stall);

  /// The version of the Core that answers.
  mlos::Result<std::string> Version();
  /// Registers a model; Core's message.
  mlos::Result<std::string> Register(const Registration& registration);
  /// Whether Core has a model of that id.
  mlos::Result<bool> Has(const std::string& model_id);

 private:
  mlos::Result<fetch::Url> Address(const std::string& path) const;
  mlos::Status Unreachable(const mlos::Status& why) const;

  fetch::Access access_;
  fetch::Client client_;
};

}  // namespace axon::core
