// SPDX-License-Identifier: MIT
#include "daemon/command_line.h"

#include <CLI/CLI.hpp>
#include <deque>
#include <iostream>

#include "daemon/options.h"
#include "daemon/version.h"
#include "mlos/smi_spec.h"

namespace mlos::daemon {
namespace {

std::string Names(const Option& option) {
  std::string names(option.flag);
  if (!option.short_flag.empty()) names.insert(0, std::string(option.short_flag) + ",");
  return names;
}

// Defaults are shown for numbers: other defaults may depend on the machine.
std::string Help(const Option& option) {
  std::string help(option.help);
  if (!option.advice.empty()) {
    for (const std::string& value : option.get(Config())) help += " (default " + value + ")";
  }
  return help + " [" + option.environment() + "]";
}

/// What CLI11 writes into; one slot for each option, at a stable address.
struct Slot {
  const Option* option;
  std::vector<std::string> values;
  bool on = false;
  CLI::Option* parsed = nullptr;
};

void AddOption(CLI::App& app, Slot& slot) {
  const Option& option = *slot.option;
  if (option.value_name.empty()) {
    slot.parsed = app.add_flag(Names(option), slot.on, Help(option));
    return;
  }
  slot.parsed = app.add_option(Names(option), slot.values, Help(option))
                    ->type_name(std::string(option.value_name))
                    ->expected(1)
                    ->multi_option_policy(option.is_list ? CLI::MultiOptionPolicy::TakeAll
                                                         : CLI::MultiOptionPolicy::Throw);
}

void CollectFlags(const std::deque<Slot>& slots, ConfigSources& sources) {
  for (const Slot& slot : slots) {
    if (slot.parsed->count() == 0) continue;
    sources.flags[std::string(slot.option->key)] =
        slot.option->value_name.empty() ? std::vector<std::string>{slot.on ? "true" : "false"}
                                        : slot.values;
  }
}

/// What to do instead of serving; at most one of it is given.
struct Actions {
  bool print_config = false;
  bool check_config = false;
  bool check_state = false;
  bool probe_model = false;
  std::string backup;
  std::string restore;

  void AddTo(CLI::App& app);
  void Take(CommandLine& line) const;
};

void Actions::AddTo(CLI::App& app) {
  CLI::Option* const alone[] = {
      app.add_flag("--print-config", print_config,
                   "Print the merged configuration as YAML and exit"),
      app.add_flag("--check-config", check_config, "Check the configuration and exit"),
      app.add_flag("--check-state", check_state,
                   "Look for damage in the registry of the state folder and exit"),
      app.add_option("--backup", backup,
                     "Write the registry of the state folder to a new file, also while Core runs, "
                     "and exit")
          ->type_name("FILE"),
      app.add_option("--restore", restore,
                     "Make the registry of the state folder what a backup says, and exit")
          ->type_name("FILE"),
      app.add_flag("--probe-model", probe_model)->group(""),  // hidden: Core calls itself
  };
  for (CLI::Option* const one : alone) {
    for (CLI::Option* const other : alone) {
      if (one != other) one->excludes(other);
    }
  }
}

void Actions::Take(CommandLine& line) const {
  line.action = probe_model        ? Action::kProbeModel
                : print_config     ? Action::kPrintConfig
                : check_config     ? Action::kCheckConfig
                : check_state      ? Action::kCheckState
                : !backup.empty()  ? Action::kBackup
                : !restore.empty() ? Action::kRestore
                                   : Action::kServe;
  line.file = backup.empty() ? restore : backup;
}

}  // namespace

std::string VersionText() {
  return "mlos_core " + std::string(kVersion) + " (SMI " + std::to_string(SMI_VERSION_MAJOR) + "." +
         std::to_string(SMI_VERSION_MINOR) + "." + std::to_string(SMI_VERSION_PATCH) + ")";
}

CommandLine ParseCommandLine(int argc, const char* const* argv) {
  CommandLine line;
  CLI::App app("MLOS Core: serves machine-learning models over HTTP, gRPC and IPC.", "mlos_core");
  app.set_help_flag("-h,--help", "Print this help and exit");
  app.set_version_flag("-v,--version", VersionText());
  std::string file;
  CLI::Option* file_option = app.add_option(
      "-c,--config", file, "YAML file with any of these options; see docs/CONFIGURATION.md");
  Actions actions;
  actions.AddTo(app);
  std::deque<Slot> slots;
  for (const Option& option : Options()) {
    slots.push_back({.option = &option});
    AddOption(app, slots.back());
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const bool said = error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success);
    app.exit(error, std::cout, std::cerr);
    return {.action = Action::kExit, .exit_code = said ? 0 : 2};
  }
  actions.Take(line);
  if (file_option->count() > 0) line.sources.file = file;
  line.sources.environment = &ProcessEnvironment;
  CollectFlags(slots, line.sources);
  return line;
}

}  // namespace mlos::daemon
