// SPDX-License-Identifier: MIT
#include "axon/cli/tree.h"

#include <CLI/CLI.hpp>

namespace axon::cli {
namespace {

void AddOption(const CLI::Option& option, CommandNode& node) {
  if (option.nonpositional()) {
    FlagNode flag{.description = option.get_description(),
                  .takes_value = option.get_expected_max() > 0};
    if (!option.get_snames().empty()) flag.short_name = "-" + option.get_snames().front();
    if (!option.get_lnames().empty()) flag.long_name = "--" + option.get_lnames().front();
    node.flags.push_back(std::move(flag));
  } else {
    node.arguments.push_back(
        {option.get_name(true), option.get_description(), option.get_required()});
  }
}

void AppendTo(const CommandNode& node, std::vector<const CommandNode*>& all) {
  all.push_back(&node);
  for (const CommandNode& child : node.children) AppendTo(child, all);
}

}  // namespace

bool CommandNode::TakesInstalledModel() const {
  return name != "install" && !arguments.empty() && arguments.front().name == "model";
}

CommandNode ReadTree(const CLI::App& app, const std::string& parent_path) {
  CommandNode node{
      .path = parent_path.empty() ? app.get_name() : parent_path + " " + app.get_name(),
      .name = app.get_name(),
      .description = app.get_description()};
  for (const CLI::Option* option : app.get_options()) AddOption(*option, node);
  // CLI11 marks a hidden option by an empty group.
  const auto shown = [](const CLI::App* child) { return !child->get_group().empty(); };
  for (const CLI::App* child : app.get_subcommands(shown)) {
    node.children.push_back(ReadTree(*child, node.path));
  }
  return node;
}

std::vector<const CommandNode*> Flatten(const CommandNode& root) {
  std::vector<const CommandNode*> all;
  AppendTo(root, all);
  return all;
}

}  // namespace axon::cli
