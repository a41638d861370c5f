// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

namespace CLI {  // NOLINT(readability-identifier-naming): CLI11 is called so
class App;
}  // namespace CLI

namespace axon::cli {

/// A flag or option of a command, as the parser has it.
struct FlagNode {
  /// "-q", or empty.
  std::string short_name;
  /// "--quiet".
  std::string long_name;
  std::string description;
  bool takes_value = false;
};

struct ArgumentNode {
  std::string name;
  std::string description;
  bool required = false;
};

/// A command of the parser's own tree, so that whatever is made of it cannot go stale.
struct CommandNode {
  /// "axon cache list".
  std::string path;
  std::string name;
  std::string description;
  std::vector<ArgumentNode> arguments;
  std::vector<FlagNode> flags;
  std::vector<CommandNode> children;

  /// True if the argument is an installed model.
  bool TakesInstalledModel() const;
};

/// The tree below `app`, without hidden commands.
CommandNode ReadTree(const CLI::App& app, const std::string& parent_path = {});

/// Every command of the tree, a parent before its children.
std::vector<const CommandNode*> Flatten(const CommandNode& root);

}  // namespace axon::cli
