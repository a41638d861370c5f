// SPDX-License-Identifier: MIT
#include "axon/cli/commands.h"
#include "axon/cli/tree.h"

namespace axon::cli {
namespace {

using Nodes = std::vector<const CommandNode*>;

std::string Join(const std::vector<std::string>& words, std::string_view separator) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : std::string(separator)) + word;
  return text;
}

/// The words that may follow a command: its commands and its flags.
std::string WordsAfter(const CommandNode& node) {
  std::vector<std::string> words;
  for (const CommandNode& child : node.children) words.push_back(child.name);
  for (const FlagNode& flag : node.flags) words.push_back(flag.long_name);
  return Join(words, " ");
}

std::vector<std::string> Quoted(const Nodes& nodes, bool (*wanted)(const CommandNode&)) {
  std::vector<std::string> paths;
  for (const CommandNode* node : nodes) {
    if (wanted(*node)) paths.push_back("\"" + node->path + "\"");
  }
  return paths;
}

bool IsBelowRoot(const CommandNode& node) { return node.path != node.name; }
bool TakesModel(const CommandNode& node) { return node.TakesInstalledModel(); }

/// `case` lines that set a variable by the command; bash and zsh read them alike.
std::string CaseLines(const Nodes& nodes, const std::string& variable) {
  std::string lines;
  for (const CommandNode* node : nodes) {
    lines += "    \"" + node->path + "\") " + variable + "=\"" + WordsAfter(*node) + "\" ;;\n";
  }
  return lines;
}

constexpr std::string_view kBash =
    R"sh(# bash completion of axon; load it with: source <(axon completion bash)
_axon() {
  local current="${COMP_WORDS[COMP_CWORD]}" path="axon" words="" word
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$path $word" in
    @COMMANDS@) path="$path $word" ;;
    esac
  done
  case "$path" in
@WORDS@  esac
  case "$path" in
    @MODELS@) words="$words $(axon list --format names 2>/dev/null)" ;;
    "axon install") compopt -o default ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _axon axon
)sh";

constexpr std::string_view kZsh = R"sh(#compdef axon
# zsh completion of axon; load it with: source <(axon completion zsh)
_axon() {
  local command="axon" candidates="" word
  for word in "${(@)words[2,CURRENT-1]}"; do
    case "$command $word" in
    @COMMANDS@) command="$command $word" ;;
    esac
  done
  case "$command" in
@WORDS@  esac
  case "$command" in
    @MODELS@) candidates="$candidates $(axon list --format names 2>/dev/null)" ;;
    "axon install") _files ;;
  esac
  compadd -- ${(s: :)${candidates//$'\n'/ }}
}
compdef _axon axon
)sh";

constexpr std::string_view kFish =
    R"sh(# fish completion of axon; load it with: axon completion fish | source
function __axon_path
  set -l path axon
  for word in (commandline -opc)[2..-1]
    if contains -- "$path $word" @COMMANDS@
      set path "$path $word"
    end
  end
  echo $path
end
complete -c axon -f
@WORDS@)sh";

void Replace(std::string& text, std::string_view mark, const std::string& with) {
  text.replace(text.find(mark), mark.size(), with);
}

/// bash and zsh use the same `case` lines in different frames.
std::string ForShell(std::string_view script, const Nodes& nodes, const std::string& variable) {
  std::string text(script);
  Replace(text, "@COMMANDS@", Join(Quoted(nodes, IsBelowRoot), "|"));
  Replace(text, "@WORDS@", CaseLines(nodes, variable));
  Replace(text, "@MODELS@", Join(Quoted(nodes, TakesModel), "|"));
  return text;
}

std::string FishEscaped(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\'' || c == '\\') escaped.push_back('\\');
    escaped.push_back(c);
  }
  return escaped;
}

std::string FishLines(const CommandNode& node) {
  const std::string begin = "complete -c axon -n 'test (__axon_path) = \"" + node.path + "\"' ";
  std::string lines;
  for (const CommandNode& child : node.children) {
    lines += begin + "-a " + child.name + " -d '" + FishEscaped(child.description) + "'\n";
  }
  for (const FlagNode& flag : node.flags) {
    const std::string letter =
        flag.short_name.empty() ? "" : "-s " + flag.short_name.substr(1) + " ";
    lines += begin + letter + "-l " + flag.long_name.substr(2) + (flag.takes_value ? " -r" : "") +
             " -d '" + FishEscaped(flag.description) + "'\n";
  }
  if (TakesModel(node)) lines += begin + "-a '(axon list --format names 2>/dev/null)'\n";
  if (node.path == "axon install") lines += begin + "-F\n";
  return lines;
}

std::string ForFish(const Nodes& nodes) {
  std::string lines;
  for (const CommandNode* node : nodes) lines += FishLines(*node);
  std::string text(kFish);
  Replace(text, "@COMMANDS@", Join(Quoted(nodes, IsBelowRoot), " "));
  Replace(text, "@WORDS@", lines);
  return text;
}

Outcome Complete(Context& context, const CLI::App& root, const std::string& shell) {
  const CommandNode tree = ReadTree(root);
  const Nodes nodes = Flatten(tree);
  if (shell == "bash") {
    context.console.Data(ForShell(kBash, nodes, "words"));
  } else if (shell == "zsh") {
    context.console.Data(ForShell(kZsh, nodes, "candidates"));
  } else {
    context.console.Data(ForFish(nodes));
  }
  return mlos::OkStatus();
}

}  // namespace

void AddCompletion(Commands& commands) {
  auto shell = std::make_shared<std::string>();
  const CLI::App& root = commands.root();
  commands
      .Add("completion", "Writes the completion script of a shell",
           [shell, &root](Context& context) { return Complete(context, root, *shell); })
      .Argument("shell", *shell, "bash, zsh or fish")
      .OneOf({"bash", "zsh", "fish"});
}

}  // namespace axon::cli
