// SPDX-License-Identifier: MIT
#include "axon/config/file.h"

#include <yaml-cpp/yaml.h>

#include <vector>

#include "base/files.h"

namespace axon::config {
namespace {

using mlos::Reason;
using mlos::Result;
using mlos::Status;
using Settings = std::map<std::string, std::string>;

constexpr std::size_t kConfigBytesMax = 256 << 10;
constexpr int kDepthMax = 8;

Status Invalid(const std::filesystem::path& path, const YAML::Mark& mark, const std::string& what) {
  return {Reason::kInvalidConfig,
          path.filename().string() + " line " + std::to_string(mark.line + 1) + ": " + what};
}

Result<YAML::Node> Load(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return YAML::Node(YAML::NodeType::Map);
  const std::string text = MLOS_TRY(mlos::ReadFile(path, kConfigBytesMax));
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(text);
    if (documents.size() > 1) {
      return Invalid(path, documents[1].Mark(),
                     "a second document begins here; only one is allowed");
    }
    YAML::Node root = documents.empty() ? YAML::Node() : documents.front();
    if (root.IsNull()) return YAML::Node(YAML::NodeType::Map);
    if (!root.IsMap()) return Invalid(path, root.Mark(), "settings are `name: value` lines");
    return root;
  } catch (const YAML::Exception& problem) {
    return Invalid(path, problem.mark, problem.msg);
  }
}

/// Sequences belong to settings of other versions: they are kept, but not shown.
void Flatten(const YAML::Node& node, const std::string& prefix, int depth, Settings& settings) {
  if (depth > kDepthMax) return;
  for (const auto& entry : node) {
    const std::string name = prefix + entry.first.Scalar();
    if (entry.second.IsMap()) {
      Flatten(entry.second, name + ".", depth + 1, settings);
    } else if (entry.second.IsScalar()) {
      settings[name] = entry.second.Scalar();
    }
  }
}

}  // namespace

Result<Settings> ReadConfigFile(const std::filesystem::path& path) {
  const YAML::Node root = MLOS_TRY(Load(path));
  Settings settings;
  Flatten(root, "", 0, settings);
  return settings;
}

Status SetInConfigFile(const std::filesystem::path& path, std::string_view name,
                       std::string_view value) {
  MLOS_TRY(mlos::CreateDirectories(path.parent_path(), 0700));
  // Without the lock, two writers at once would each lose the other's setting.
  const auto lock = MLOS_TRY(mlos::FileLock::Acquire(path.string() + ".lock"));
  const YAML::Node root = MLOS_TRY(Load(path));
  YAML::Node at;
  at.reset(root);
  std::string_view rest = name;
  for (std::size_t dot = rest.find('.'); dot != std::string_view::npos; dot = rest.find('.')) {
    YAML::Node child = at[std::string(rest.substr(0, dot))];
    if (child.IsDefined() && !child.IsMap() && !child.IsNull()) {
      return Invalid(path, child.Mark(), std::string(rest.substr(0, dot)) + " is not a group");
    }
    at.reset(child);
    rest.remove_prefix(dot + 1);
  }
  at[std::string(rest)] = std::string(value);
  YAML::Emitter emitter;
  emitter << root;
  return mlos::WriteFileAtomic(path, std::string(emitter.c_str()) + "\n", 0600);
}

}  // namespace axon::config
