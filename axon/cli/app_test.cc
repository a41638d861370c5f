// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <unistd.h>

#include <functional>
#include <sstream>

#include "axon/cli/commands.h"
#include "axon/cli/test_cli.h"
#include "axon/cli/tree.h"
#include "axon/cli/versions.h"
#include "base/unique_fd.h"

namespace axon::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;
using ui::ExitCode;
using Words = std::vector<std::string>;

/// The tree of the program's own commands.
const CommandNode& Tree() {
  static const CommandNode kTree = [] {
    Commands commands("axon", "");
    AddAll(commands);
    return ReadTree(commands.root());
  }();
  return kTree;
}

/// The words that name a command: "axon cache list" is {"cache", "list"}.
Words WordsOf(const CommandNode& node) {
  std::istringstream path(node.path);
  std::string word;
  path >> word;
  Words words;
  while (path >> word) words.push_back(word);
  return words;
}

/// A command line with which `node` takes all its arguments.
Words Complete(const CommandNode& node) {
  Words words = WordsOf(node);
  for (const ArgumentNode& argument : node.arguments) {
    words.emplace_back(argument.name == "shell" ? "bash" : "x");
  }
  return words;
}

Words With(Words words, const std::string& more) {
  words.push_back(more);
  return words;
}

class AppTest : public CliTest {
 protected:
  /// A wrong command line writes no data; it says what is wrong, and where to read on.
  void ExpectUsage(const Words& words, const std::string& named, const std::string& help) const {
    SCOPED_TRACE(testing::PrintToString(words));
    const Ran ran = Axon(words);
    EXPECT_EQ(ran.code, ExitCode::kUsage);
    EXPECT_THAT(ran.out, IsEmpty());
    const std::size_t line = ran.err.find('\n');
    EXPECT_THAT(ran.err.substr(0, line), AllOf(StartsWith("error: "), HasSubstr(named)));
    EXPECT_EQ(ran.err.substr(line + 1), "hint: " + help + "\n");
  }

  static std::string HelpOf(const CommandNode& node) {
    return "`" + node.path + " --help` explains it";
  }

  /// Calls `check` with each command, or each one that does something.
  static void ForEach(const std::function<void(const CommandNode&)>& check) {
    const auto nodes = Flatten(Tree());
    ASSERT_GT(nodes.size(), 10u);
    for (const CommandNode* node : nodes) check(*node);
  }
  static void ForEachLeaf(const std::function<void(const CommandNode&)>& check) {
    ForEach([&check](const CommandNode& node) {
      if (node.children.empty()) check(node);
    });
  }
};

TEST_F(AppTest, HelpNamesEveryCommandArgumentAndFlag) {
  ForEach([this](const CommandNode& node) {
    SCOPED_TRACE(node.path);
    const Ran help = Axon(With(WordsOf(node), "--help"));
    EXPECT_EQ(help.code, ExitCode::kOk);
    EXPECT_THAT(help.err, IsEmpty());
    EXPECT_THAT(help.out, HasSubstr(node.description));
    EXPECT_THAT(help.out, HasSubstr("Usage: " + node.path));
    for (const CommandNode& child : node.children) {
      EXPECT_THAT(help.out, HasSubstr("\n  " + child.name + " "));
    }
    for (const ArgumentNode& argument : node.arguments) {
      EXPECT_FALSE(argument.description.empty()) << argument.name;
      EXPECT_THAT(help.out, HasSubstr("\n  " + argument.name + " "));
    }
    for (const FlagNode& flag : node.flags) {
      EXPECT_FALSE(flag.description.empty()) << flag.long_name;
      EXPECT_THAT(help.out, HasSubstr(flag.short_name));
      EXPECT_THAT(help.out, HasSubstr(flag.long_name + " "));
    }
    EXPECT_EQ(Axon(With(WordsOf(node), "-h")).out, help.out);
  });
}

TEST_F(AppTest, EveryCommandThatDoesSomethingCanWriteJsonOrBeQuiet) {
  ForEachLeaf([](const CommandNode& node) {
    std::string flags;
    for (const FlagNode& flag : node.flags) flags += flag.long_name + " ";
    EXPECT_THAT(flags, AllOf(HasSubstr("--json "), HasSubstr("--quiet "))) << node.path;
  });
}

TEST_F(AppTest, AFlagThatNoCommandKnowsIsRefused) {
  ForEachLeaf([this](const CommandNode& node) {
    ExpectUsage(With(Complete(node), "--bogus"), "--bogus", HelpOf(node));
  });
}

TEST_F(AppTest, AnArgumentTooManyIsRefused) {
  ForEachLeaf([this](const CommandNode& node) {
    ExpectUsage(With(Complete(node), "surplus"), "surplus", HelpOf(node));
  });
}

TEST_F(AppTest, AMissingArgumentIsNamed) {
  ForEachLeaf([this](const CommandNode& node) {
    if (node.arguments.empty() || !node.arguments.front().required) return;
    ExpectUsage(WordsOf(node), node.arguments.front().name + " is required", HelpOf(node));
  });
}

TEST_F(AppTest, AFlagWithoutItsValueOrWithOneTooManyIsNamed) {
  ForEachLeaf([this](const CommandNode& node) {
    for (const FlagNode& flag : node.flags) {
      if (flag.long_name == "--help") continue;
      const std::string word = flag.takes_value ? flag.long_name : flag.long_name + "=maybe";
      ExpectUsage(With(Complete(node), word), flag.long_name.substr(2), HelpOf(node));
    }
  });
}

TEST_F(AppTest, AMissingCommandIsSaidSo) {
  ForEach([this](const CommandNode& node) {
    if (node.children.empty()) return;
    ExpectUsage(WordsOf(node), "A subcommand is required", HelpOf(node));
  });
}

TEST_F(AppTest, AnUnknownCommandIsNamedAndAPlannedOnePromised) {
  const std::string list = "`axon --help` lists the commands";
  ExpectUsage({"instal"}, "axon has no command 'instal'", list);
  ExpectUsage({"-q", "instal", "hf/a/b"}, "axon has no command 'instal'", list);
  for (const char* later : {"search", "update", "publish", "login"}) {
    ExpectUsage({later}, "axon has no command '" + std::string(later) + "'",
                "a later version will have it");
  }
}

TEST_F(AppTest, AValueThatIsNoneOfItsKindIsRefused) {
  ExpectUsage({"list", "--format", "xml"}, "xml not in {", "`axon list --help` explains it");
  ExpectUsage({"completion", "tcsh"}, "tcsh not in {", "`axon completion --help` explains it");
  const struct {
    Words words;
    const char* message;
  } cases[] = {
      {{"install", "hf/a/b", "--format", "xml"}, "--format xml: expected auto or onnx"},
      {{"install", "hf/a/b", "--parallel", "99"},
       "flag: download.parallel: '99' is not a whole number from 1 to 32"},
      {{"info", "hf/a/b", "--endpoint", "ftp://x"}, "'ftp://x' is not an http or https address"},
      {{"register", "hf/a/b", "--core", "nowhere"}, "'nowhere' is not an http or https address"},
      {{"info", "a b"}, "a model id is namespace/name[@version]"},
      {{"uninstall", "hf/../x"}, "a model id is namespace/name[@version]"},
  };
  for (const auto& [words, message] : cases) {
    const Ran ran = Axon(words);
    EXPECT_EQ(ran.code, ExitCode::kUsage) << message;
    EXPECT_THAT(ran.out, IsEmpty()) << message;
    EXPECT_THAT(ran.err, AllOf(StartsWith("error: "), HasSubstr(message)));
  }
}

TEST_F(AppTest, AFailureUnderJsonIsOneObject) {
  const Ran usage = Axon({"list", "--bogus", "--json"});
  EXPECT_THAT(usage.out, IsEmpty());
  const auto wrong = Json(usage.err);
  EXPECT_EQ(Text(wrong, "level"), "error");
  EXPECT_EQ(Text(wrong, "reason"), "USAGE");
  EXPECT_EQ(Text(wrong, "code"), "INVALID_ARGUMENT");
  EXPECT_THAT(Text(wrong, "message"), HasSubstr("--bogus"));
  EXPECT_EQ(std::int64_t(wrong["exit_code"]), 2);
  EXPECT_EQ(std::string_view(wrong["hints"].at(0)), "`axon list --help` explains it");

  const auto unknown = Json(Axon({"nonsense", "--json"}).err);
  EXPECT_EQ(Text(unknown, "message"), "axon has no command 'nonsense'");

  const Ran missing = Axon({"uninstall", "hf/org/none", "--json"});
  EXPECT_THAT(missing.out, IsEmpty());
  const auto none = Json(missing.err);
  EXPECT_EQ(Text(none, "reason"), "MODEL_NOT_FOUND");
  EXPECT_EQ(std::int64_t(none["exit_code"]), static_cast<int>(missing.code));
}

TEST_F(AppTest, QuietLeavesDataWarningsAndErrors) {
  EXPECT_THAT(Axon({"list"}).err, HasSubstr("no model is installed"));
  for (const char* quiet : {"-q", "--quiet"}) {
    EXPECT_THAT(Axon({"list", quiet}).err, IsEmpty());
    EXPECT_THAT(Axon({"config", "get", "nothing", quiet}).err, StartsWith("error: "));
  }
}

TEST_F(AppTest, VersionsAreTold) {
  const Ran line = Axon({"--version"});
  EXPECT_EQ(line.code, ExitCode::kOk);
  EXPECT_EQ(line.out, VersionLine() + "\n");
  const Ran text = Axon({"version"});
  EXPECT_THAT(text.out, AllOf(HasSubstr(AxonVersion()), HasSubstr(SmiVersion())));
  const auto json = Json(Axon({"version", "--json"}).out);
  EXPECT_EQ(Text(json, "axon"), AxonVersion());
  EXPECT_EQ(Text(json, "core"), CoreVersion());
  EXPECT_EQ(Text(json, "smi"), SmiVersion());
  EXPECT_TRUE(json["running_core"].is_null()) << "nobody answers at " << kNobody;
}

TEST_F(AppTest, AnOutputThatCannotBeWrittenIsAFailure) {
  const mlos::UniqueFd saved(::dup(STDOUT_FILENO));
  const mlos::UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  const char* const words[] = {"axon", "config", "list"};
  ASSERT_EQ(::dup2(full.get(), STDOUT_FILENO), STDOUT_FILENO);
  const ExitCode code = cli::Run(3, words, cancel_);
  ASSERT_EQ(::dup2(saved.get(), STDOUT_FILENO), STDOUT_FILENO);
  EXPECT_EQ(code, ExitCode::kFailure);
}

TEST_F(AppTest, ABrokenConfigurationStopsEveryCommand) {
  Write("config.yaml", "download:\n  parallel: [\n");
  for (const Words& words : {Words{"list"}, Words{"config", "list"}, Words{"verify"}}) {
    const Ran ran = Axon(words);
    EXPECT_EQ(ran.code, ExitCode::kUsage);
    EXPECT_THAT(ran.out, IsEmpty());
    EXPECT_THAT(ran.err, StartsWith("error: config.yaml line "));
  }
  EXPECT_EQ(Axon({"list", "--help"}).code, ExitCode::kOk) << "help needs no configuration";
}

TEST(CommandTreeTest, HiddenCommandsAreInNoList) {
  for (const CommandNode* node : Flatten(Tree())) EXPECT_NE(node->name, "reference");
}

/// The lines of a script that are about a command.
std::string LinesOf(const std::string& script, const CommandNode& node) {
  std::istringstream lines(script);
  std::string found;
  for (std::string line; std::getline(lines, line);) {
    if (line.find('"' + node.path + '"') != std::string::npos) found += line + "\n";
  }
  return found;
}

TEST_F(AppTest, CompletionsListEveryCommandAndFlag) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const Ran ran = Axon({"completion", shell});
    EXPECT_EQ(ran.code, ExitCode::kOk);
    EXPECT_THAT(ran.out, Not(HasSubstr("reference"))) << shell;
    // fish names a flag without its dashes.
    const std::string dashes = shell == std::string("fish") ? "-l " : "--";
    ForEach([&](const CommandNode& node) {
      SCOPED_TRACE(shell + (": " + node.path));
      const std::string lines = LinesOf(ran.out, node);
      for (const CommandNode& child : node.children) EXPECT_THAT(lines, HasSubstr(child.name));
      for (const FlagNode& flag : node.flags) {
        EXPECT_THAT(lines, HasSubstr(dashes + flag.long_name.substr(2)));
      }
    });
  }
}

TEST_F(AppTest, CompletionsOfferInstalledModelsWhereACommandTakesOne) {
  const std::string script = Axon({"completion", "fish"}).out;
  const std::string offer = "axon list --format names";
  ForEachLeaf([&](const CommandNode& node) {
    const bool takes = node.path == "axon info" || node.path == "axon register" ||
                       node.path == "axon uninstall" || node.path == "axon verify";
    EXPECT_EQ(LinesOf(script, node).find(offer) != std::string::npos, takes) << node.path;
  });
}

TEST_F(AppTest, TheReferenceHasEveryCommandFlagSettingAndExitCode) {
  const std::string page = Axon({"reference"}).out;
  ForEachLeaf([&page](const CommandNode& node) {
    const std::size_t begin = page.find("### `" + node.path + "`\n");
    ASSERT_NE(begin, std::string::npos) << node.path;
    const std::string section = page.substr(begin, page.find("\n##", begin + 1) - begin);
    EXPECT_THAT(section, HasSubstr(node.description));
    for (const ArgumentNode& argument : node.arguments) {
      EXPECT_THAT(section, HasSubstr("| `" + argument.name + "` |"));
    }
    for (const FlagNode& flag : node.flags) EXPECT_THAT(section, HasSubstr("`" + flag.long_name));
  });
  for (const config::Key& key : config::Keys()) {
    EXPECT_THAT(page, HasSubstr("| `" + std::string(key.name) + "` |"));
  }
  for (const ui::ExitCodeEntry& entry : ui::ExitCodes()) {
    EXPECT_THAT(page, HasSubstr("| " + std::to_string(static_cast<int>(entry.code)) + " | "));
  }
}

}  // namespace
}  // namespace axon::cli
