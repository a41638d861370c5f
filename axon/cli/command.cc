// SPDX-License-Identifier: MIT
#include "axon/cli/command.h"

#include <CLI/CLI.hpp>

#include "base/check.h"

namespace axon::cli {

ui::ExitCode Outcome::code() const {
  if (status.ok()) return ui::ExitCode::kOk;
  return exit_code.value_or(ui::ExitCodeOf(status.reason()));
}

Command& Command::Argument(const std::string& name, std::string& value,
                           const std::string& description) {
  last_ = app_.add_option(name, value, description)->required();
  return *this;
}

Command& Command::OptionalArgument(const std::string& name, std::string& value,
                                   const std::string& description) {
  last_ = app_.add_option(name, value, description);
  return *this;
}

Command& Command::Option(const std::string& names, std::string& value,
                         const std::string& description) {
  last_ = app_.add_option(names, value, description);
  if (!value.empty()) last_->capture_default_str();
  return *this;
}

Command& Command::Flag(const std::string& names, bool& value, const std::string& description) {
  last_ = app_.add_flag(names, value, description);
  return *this;
}

Command& Command::Setting(const std::string& name, std::string_view key) {
  const config::Key* setting = config::FindKey(key);
  MLOS_CHECK(setting != nullptr, "no such setting");
  std::string& value = settings_[std::string(key)];
  last_ = app_.add_option(name, value,
                          "Overrides " + std::string(key) + ": " + std::string(setting->meaning));
  return *this;
}

Command& Command::OneOf(const std::vector<std::string>& values) {
  last_->check(CLI::IsMember(values));
  return *this;
}

Command& Command::Hidden() {
  // CLI11 marks a hidden option by an empty group.
  app_.group("");
  return *this;
}

Commands::Commands(const std::string& name, const std::string& description)
    : root_(std::make_unique<CLI::App>(description, name)) {
  root_->require_subcommand(1);
}

Commands::~Commands() = default;

Command Commands::Add(const std::string& name, const std::string& description, Action action) {
  return AddBelow(*root_, name, description, std::move(action));
}

Command Commands::AddTo(Command& group, const std::string& name, const std::string& description,
                        Action action) {
  return AddBelow(group.app(), name, description, std::move(action));
}

Command Commands::AddGroup(const std::string& name, const std::string& description) {
  CLI::App* group = root_->add_subcommand(name, description);
  group->require_subcommand(1);
  return {*group, settings_};
}

Command Commands::AddBelow(CLI::App& parent, const std::string& name,
                           const std::string& description, Action action) {
  CLI::App* app = parent.add_subcommand(name, description);
  app->add_flag("--json", json_, "Data and messages as JSON");
  app->add_flag("-q,--quiet", quiet_, "Nothing but data, warnings and errors");
  actions_[app] = std::move(action);
  return {*app, settings_};
}

const Action* Commands::Chosen() const {
  const CLI::App* at = root_.get();
  while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
  const auto found = actions_.find(at);
  return found == actions_.end() ? nullptr : &found->second;
}

}  // namespace axon::cli
