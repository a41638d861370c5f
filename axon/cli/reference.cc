// SPDX-License-Identifier: MIT
#include "axon/cli/commands.h"
#include "axon/cli/tree.h"
#include "axon/config/keys.h"
#include "axon/ui/exit_code.h"

namespace axon::cli {
namespace {

std::string Escaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '|' || c == '<') escaped.push_back('\\');
    escaped.push_back(c);
  }
  return escaped;
}

std::string Usage(const CommandNode& node) {
  std::string usage = node.path;
  for (const ArgumentNode& argument : node.arguments) {
    usage += argument.required ? " " + argument.name : " [" + argument.name + "]";
  }
  return usage + " [flags]";
}

std::string CommandSection(const CommandNode& node) {
  std::string text = "### `" + node.path + "`\n\n" + node.description + ".\n\n    " + Usage(node) +
                     "\n\n| | |\n|---|---|\n";
  for (const ArgumentNode& argument : node.arguments) {
    text += "| `" + argument.name + "` | " + Escaped(argument.description) + " |\n";
  }
  for (const FlagNode& flag : node.flags) {
    const std::string letter = flag.short_name.empty() ? "" : "`" + flag.short_name + "`, ";
    const std::string value = flag.takes_value ? " VALUE" : "";
    text +=
        "| " + letter + "`" + flag.long_name + value + "` | " + Escaped(flag.description) + " |\n";
  }
  return text + "\n";
}

std::string Settings() {
  std::string text = "## Settings\n\n| setting | environment | default | |\n|---|---|---|---|\n";
  for (const config::Key& key : config::Keys()) {
    const std::string variable = key.variable.empty() ? "" : "`" + std::string(key.variable) + "`";
    const std::string fallback = key.fallback.empty() ? "" : "`" + std::string(key.fallback) + "`";
    text += "| `" + std::string(key.name) + "` | " + variable + " | " + fallback + " | " +
            Escaped(key.meaning) + " |\n";
  }
  return text + "\n";
}

std::string ExitCodeTable() {
  std::string text = "## Exit codes\n\n| code | meaning |\n|---|---|\n";
  for (const ui::ExitCodeEntry& entry : ui::ExitCodes()) {
    text += "| " + std::to_string(static_cast<int>(entry.code)) + " | " + Escaped(entry.meaning) +
            " |\n";
  }
  return text;
}

Outcome Reference(Context& context, const CLI::App& root) {
  const CommandNode tree = ReadTree(root);
  std::string text = "## Commands\n\n";
  for (const CommandNode* node : Flatten(tree)) {
    if (node->children.empty()) text += CommandSection(*node);
  }
  context.console.Data(text + Settings() + ExitCodeTable());
  return mlos::OkStatus();
}

}  // namespace

void AddReference(Commands& commands) {
  const CLI::App& root = commands.root();
  commands
      .Add("reference", "Writes the generated part of docs/AXON.md",
           [&root](Context& context) { return Reference(context, root); })
      .Hidden();
}

void AddAll(Commands& commands) {
  AddInstall(commands);
  AddList(commands);
  AddInfo(commands);
  AddRegister(commands);
  AddUninstall(commands);
  AddVerify(commands);
  AddCache(commands);
  AddConfig(commands);
  AddCompletion(commands);
  AddVersion(commands);
  AddReference(commands);
}

}  // namespace axon::cli
