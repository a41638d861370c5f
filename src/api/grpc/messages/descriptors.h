// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace mlos::api::grpc::messages {

/// The contracts of this build, as they were compiled from proto/: what reflection tells.
/// Thread-safe.
class Descriptors {
 public:
  static const Descriptors& Get();

  /// "mlos.v1.InferenceService", in order.
  const std::vector<std::string>& services() const { return services_; }
  /// The serialized FileDescriptorProto of that name ("mlos/v1/inference.proto"); null without one.
  const std::string* FindFile(std::string_view name) const;
  /// That of the file with a message, enum, service or method of that full name; null without one.
  const std::string* FindSymbol(std::string_view symbol) const;

 private:
  Descriptors();

  std::vector<std::string> files_;
  std::map<std::string, std::size_t, std::less<>> by_name_;
  std::map<std::string, std::size_t, std::less<>> by_symbol_;
  std::vector<std::string> services_;
};

}  // namespace mlos::api::grpc::messages
