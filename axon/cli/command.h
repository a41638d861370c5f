// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "axon/config/config.h"
#include "axon/fetch/cancel.h"
#include "axon/ui/console.h"
#include "axon/ui/exit_code.h"
#include "base/status.h"

// CLI11 is one large header: only command.cc, tree.cc and app.cc include it.
namespace CLI {  // NOLINT(readability-identifier-naming): CLI11 is called so
class App;
class Option;
}  // namespace CLI

namespace axon::cli {

/// The console, configuration and cancel flag of a command. Borrowed for its duration.
struct Context {
  const config::Config& config;
  ui::Console& console;
  const fetch::CancelFlag& cancel;
};

/// How a command ended: its status and, if the reason alone does not decide it, the exit code.
struct Outcome {
  Outcome(mlos::Status ended) : status(std::move(ended)) {}  // NOLINT(google-explicit-constructor)
  Outcome(mlos::Status ended, ui::ExitCode code) : status(std::move(ended)), exit_code(code) {}
  mlos::Status status;
  std::optional<ui::ExitCode> exit_code;

  ui::ExitCode code() const;
};

using Action = std::function<Outcome(Context&)>;

/// A command that is being described. The variables that its arguments fill must live as long as
/// the tree.
class Command {
 public:
  /// `settings` are filled by Setting() and must outlive the tree.
  Command(CLI::App& app, std::map<std::string, std::string>& settings)
      : app_(app), settings_(settings) {}

  Command& Argument(const std::string& name, std::string& value, const std::string& description);
  Command& OptionalArgument(const std::string& name, std::string& value,
                            const std::string& description);
  Command& Option(const std::string& names, std::string& value, const std::string& description);
  Command& Flag(const std::string& names, bool& value, const std::string& description);
  /// An option that overrides a setting (config/keys.h) for this command.
  Command& Setting(const std::string& name, std::string_view key);
  /// The allowed values of the argument or option before.
  Command& OneOf(const std::vector<std::string>& values);
  /// Keeps it out of help, completions and the reference.
  Command& Hidden();

  CLI::App& app() { return app_; }

 private:
  CLI::App& app_;
  std::map<std::string, std::string>& settings_;
  CLI::Option* last_ = nullptr;
};

/// The tree of commands, with what each of them does. Thread-compatible.
class Commands {
 public:
  Commands(const std::string& name, const std::string& description);
  ~Commands();
  Commands(const Commands&) = delete;
  Commands& operator=(const Commands&) = delete;

  CLI::App& root() { return *root_; }

  /// Adds a command, with the flags that all commands share.
  Command Add(const std::string& name, const std::string& description, Action action);
  /// The same below a command that only groups others.
  Command AddTo(Command& group, const std::string& name, const std::string& description,
                Action action);
  Command AddGroup(const std::string& name, const std::string& description);

  /// The action of the command that was parsed; nullptr if none was.
  const Action* Chosen() const;
  /// The settings given on the command line, by name.
  const std::map<std::string, std::string>& settings() const { return settings_; }

 private:
  Command AddBelow(CLI::App& parent, const std::string& name, const std::string& description,
                   Action action);

  std::unique_ptr<CLI::App> root_;
  std::map<const CLI::App*, Action> actions_;
  std::map<std::string, std::string> settings_;
  // Filled by the shared flags. The console has read the words themselves before.
  bool json_ = false;
  bool quiet_ = false;
};

}  // namespace axon::cli
