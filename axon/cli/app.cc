// SPDX-License-Identifier: MIT
#include "axon/cli/app.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <string_view>

#include "axon/cli/commands.h"
#include "axon/cli/versions.h"
#include "axon/ui/hint.h"

namespace axon::cli {
namespace {

using mlos::Reason;
using mlos::Status;
using ui::Console;
using ui::ConsoleOptions;
using ui::ExitCode;

// Commands of the existing tool, and of later versions of this one.
constexpr std::array<std::string_view, 9> kLater = {
    "convert", "init", "publish", "registry", "run", "search", "update", "serve", "login"};

bool HasFlag(int argc, const char* const* argv, std::string_view flag) {
  return std::any_of(argv, argv + argc, [flag](const char* word) { return word == flag; });
}

/// The first word that is neither a flag nor a command.
std::string UnknownCommand(const CLI::App& root, int argc, const char* const* argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word.starts_with('-')) continue;
    const auto called = [word](const CLI::App* command) { return command->get_name() == word; };
    return root.get_subcommands(called).empty() ? std::string(word) : std::string();
  }
  return {};
}

Status UnknownCommandStatus(const std::string& command) {
  Status status(Reason::kUsage, "axon has no command '" + command + "'");
  if (std::find(kLater.begin(), kLater.end(), command) != kLater.end()) {
    return ui::WithHint(std::move(status), "a later version will have it");
  }
  return ui::WithHint(std::move(status), "`axon --help` lists the commands");
}

/// CLI11's message in the form of ours.
Status UsageStatus(const CLI::App& root, const CLI::ParseError& error) {
  const CLI::App* at = &root;
  std::string command = "axon";
  while (!at->get_subcommands().empty()) {
    at = at->get_subcommands().front();
    command += " " + at->get_name();
  }
  return ui::WithHint(Status(Reason::kUsage, error.what()), "`" + command + " --help` explains it");
}

ExitCode CarryOut(const Commands& commands, Console& console, const fetch::CancelFlag& cancel) {
  const Action* action = commands.Chosen();
  const auto config = config::Config::Load(commands.settings());
  Outcome outcome = mlos::OkStatus();
  if (!config.ok()) {
    outcome = config.status();
  } else if (action == nullptr) {
    outcome = Status(Reason::kUsage, "a command is missing");
  } else {
    Context context{*config, console, cancel};
    outcome = (*action)(context);
  }
  console.EndProgress();
  if (!outcome.status.ok()) console.Error(outcome.status, outcome.code());
  if (outcome.status.ok() && console.output_failed()) return ExitCode::kFailure;
  return outcome.code();
}

}  // namespace

ExitCode Run(int argc, const char* const* argv, const fetch::CancelFlag& cancel) {
  Commands commands("axon", "Installs machine-learning models and hands them to MLOS Core");
  CLI::App& root = commands.root();
  AddAll(commands);
  root.set_version_flag("--version", VersionLine());
  root.footer("Exit codes, settings and the form of --json are in docs/AXON.md.");
  ConsoleOptions options = ConsoleOptions::FromEnvironment();
  // Known before parsing, so that a wrong command line is reported as it was asked to be.
  options.json = HasFlag(argc, argv, "--json");
  options.quiet = HasFlag(argc, argv, "-q") || HasFlag(argc, argv, "--quiet");
  Console console(options);
  const auto fail = [&console](const Status& status) {
    console.Error(status, ExitCode::kUsage);
    return ExitCode::kUsage;
  };
  const std::string unknown = UnknownCommand(root, argc, argv);
  if (!unknown.empty()) return fail(UnknownCommandStatus(unknown));
  try {
    root.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    console.Data(root.help());
    return ExitCode::kOk;
  } catch (const CLI::CallForVersion&) {
    console.Data(VersionLine());
    return ExitCode::kOk;
  } catch (const CLI::ParseError& error) {
    return fail(UsageStatus(root, error));
  }
  return CarryOut(commands, console, cancel);
}

}  // namespace axon::cli
