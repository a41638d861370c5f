// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "axon/config/keys.h"
#include "axon/fetch/url.h"
#include "base/result.h"

namespace axon::config {

/// The source of a setting's value.
enum class Origin : std::uint8_t { kDefault, kFile, kTokenFile, kEnvironment, kFlag };
std::string_view ToString(Origin origin);

struct Value {
  std::string text;
  Origin origin = Origin::kDefault;
};

/// The settings in force: flags over environment over config.yaml over defaults, every one of them
/// checked. Thread-compatible.
class Config {
 public:
  /// Reads the environment and `<home_dir>/config.yaml`. `flags` are values given on the command
  /// line, by name. INVALID_CONFIG names the setting at fault and its source.
  static mlos::Result<Config> Load(const std::map<std::string, std::string>& flags = {});

  /// The value of a setting in Keys().
  const Value& Get(std::string_view name) const;

  std::filesystem::path home() const { return Get("home_dir").text; }
  std::filesystem::path cache() const { return Get("cache_dir").text; }
  std::filesystem::path published() const { return Get("published_dir").text; }
  std::filesystem::path file() const { return home() / "config.yaml"; }
  fetch::Url Endpoint(std::string_view name) const {
    return fetch::Url::Parse(Get(name).text).value();
  }
  int Number(std::string_view name) const;

  /// Settings of config.yaml that this version does not use.
  const std::vector<std::string>& unused() const { return unused_; }

 private:
  mlos::Status SetHome(const std::map<std::string, std::string>& flags);
  mlos::Status Merge(const Key& key, const std::map<std::string, std::string>& flags,
                     const std::map<std::string, std::string>& file);
  void ReadTokenFile();

  std::map<std::string, Value, std::less<>> values_;
  std::vector<std::string> unused_;
};

}  // namespace axon::config
