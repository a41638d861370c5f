// SPDX-License-Identifier: MIT
#include "axon/config/config.h"

#include <array>
#include <charconv>
#include <cstdlib>

#include "axon/config/file.h"
#include "base/check.h"
#include "base/files.h"

namespace axon::config {
namespace {

using mlos::Reason;
using mlos::Result;
using mlos::Status;
using Settings = std::map<std::string, std::string>;

constexpr std::string_view kBlank = " \t\r\n";

std::string Trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(kBlank) - first + 1));
}

/// A variable's value; one that is blank counts as unset.
std::string Environment(std::string_view name) {
  const char* value = name.empty() ? nullptr : std::getenv(std::string(name).c_str());
  return value == nullptr ? std::string() : Trimmed(value);
}

std::string Find(const Settings& settings, std::string_view name) {
  const auto found = settings.find(std::string(name));
  return found == settings.end() ? std::string() : Trimmed(found->second);
}

/// `~` stands for the home folder, and a relative path begins in the current folder. Empty if there
/// is no home folder.
std::string Expanded(const std::string& path) {
  if (path != "~" && !path.starts_with("~/")) {
    return std::filesystem::absolute(path).lexically_normal().string();
  }
  const auto home = mlos::HomeFolder();
  return home ? home->string() + path.substr(1) : std::string();
}

Value Normalized(const Key& key, Value value) {
  if (key.type == KeyType::kPath) value.text = Expanded(value.text);
  if (key.type == KeyType::kUrl) {
    while (value.text.ends_with('/')) value.text.pop_back();
  }
  return value;
}

std::filesystem::path TokenFile() {
  std::string path = Environment("HF_TOKEN_PATH");
  if (!path.empty()) return path;
  const std::string hf_home = Environment("HF_HOME");
  if (!hf_home.empty()) return std::filesystem::path(hf_home) / "token";
  const auto home = mlos::HomeFolder();
  return home ? *home / ".cache/huggingface/token" : std::filesystem::path();
}

}  // namespace

std::string_view ToString(Origin origin) {
  constexpr std::array<std::string_view, 5> kNames = {"default", "file", "token file",
                                                      "environment", "flag"};
  return kNames[static_cast<std::size_t>(origin)];
}

Result<Config> Config::Load(const Settings& flags) {
  Config config;
  MLOS_TRY(config.SetHome(flags));
  const Settings file = MLOS_TRY(ReadConfigFile(config.file()));
  for (const Key& key : Keys()) {
    if (key.name != "home_dir") MLOS_TRY(config.Merge(key, flags, file));
  }
  for (const auto& [name, value] : file) {
    if (FindKey(name) == nullptr) config.unused_.push_back(name);
  }
  config.ReadTokenFile();
  return config;
}

/// The file lies in the home folder, so it cannot name that folder. A `home_dir` in it is the
/// existing tool's record of the folder that it used.
Status Config::SetHome(const Settings& flags) {
  MLOS_TRY(Merge(*FindKey("home_dir"), flags, {}));
  if (!home().empty()) return mlos::OkStatus();
  return {Reason::kInvalidConfig,
          "home_dir: this user has no home folder to keep it in; name one with AXON_HOME"};
}

Status Config::Merge(const Key& key, const Settings& flags, const Settings& file) {
  const std::pair<Origin, std::string> candidates[] = {
      {Origin::kFlag, Find(flags, key.name)},
      {Origin::kEnvironment, Environment(key.variable)},
      {Origin::kFile, Find(file, key.name)},
  };
  for (const auto& [origin, text] : candidates) {
    if (text.empty()) continue;
    Value value = Normalized(key, {text, origin});
    MLOS_TRY(CheckValue(key, value.text)
                 .WithContext(origin == Origin::kEnvironment ? key.variable : ToString(origin)));
    values_[std::string(key.name)] = std::move(value);
    return mlos::OkStatus();
  }
  Value fallback{std::string(key.fallback), Origin::kDefault};
  if (key.name == "cache_dir") fallback.text = (home() / "cache").string();
  values_[std::string(key.name)] = Normalized(key, std::move(fallback));
  return mlos::OkStatus();
}

/// The token that `huggingface-cli login` left; a file without a token counts as none.
void Config::ReadTokenFile() {
  constexpr std::size_t kTokenFileBytesMax = 4096;
  Value& token = values_["registry.huggingface_token"];
  if (!token.text.empty()) return;
  const Result<std::string> text = mlos::ReadFile(TokenFile(), kTokenFileBytesMax);
  if (!text.ok()) return;
  const std::string trimmed = Trimmed(*text);
  if (trimmed.empty() || !CheckValue(*FindKey("registry.huggingface_token"), trimmed).ok()) return;
  token = {trimmed, Origin::kTokenFile};
}

const Value& Config::Get(std::string_view name) const {
  const auto found = values_.find(name);
  MLOS_CHECK(found != values_.end(), "no such setting");
  return found->second;
}

int Config::Number(std::string_view name) const {
  const std::string& text = Get(name).text;
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace axon::config
