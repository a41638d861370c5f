// SPDX-License-Identifier: MIT
#include "axon/config/config.h"

#include <cctype>
#include <iostream>

#include "axon/cli/commands.h"
#include "axon/config/file.h"
#include "axon/ui/format.h"
#include "axon/ui/hint.h"

namespace axon::cli {
namespace {

using config::Key;
using config::Value;
using mlos::Reason;
using mlos::Result;
using mlos::Status;

struct Assignment {
  std::string key;
  std::string value;
};

/// Shows of a secret only that it is set.
std::string Shown(const Key& key, const Value& value) {
  if (key.type == config::KeyType::kSecret && !value.text.empty()) return "(set)";
  return value.text;
}

Result<const Key*> Known(const std::string& name) {
  const Key* key = config::FindKey(name);
  if (key != nullptr) return key;
  return ui::WithHint(Status(Reason::kRemoteNotFound, "there is no setting '" + name + "'"),
                      "`axon config list` shows them all");
}

Outcome Get(Context& context, const std::string& name) {
  const Key* key = MLOS_TRY(Known(name));
  const Value& value = context.config.Get(key->name);
  if (context.console.json()) {
    ui::JsonWriter json;
    json.BeginObject().Field("key", key->name).Field("value", Shown(*key, value));
    context.console.Data(json.Field("origin", ToString(value.origin)).EndObject());
  } else {
    context.console.Data(Shown(*key, value) + "\n");
  }
  return mlos::OkStatus();
}

/// Everyone on the machine can read a command line, so a secret comes from standard input.
Result<std::string> ReadSecret(const Assignment& assignment) {
  if (assignment.value != "-") {
    return ui::WithHint(
        Status(Reason::kUsage,
               assignment.key + " is a secret and must not stand on the command line"),
        "pipe it: axon config set " + assignment.key + " - < FILE");
  }
  std::string line;
  std::getline(std::cin, line);
  while (!line.empty() && std::isspace(static_cast<unsigned char>(line.back()))) line.pop_back();
  return line;
}

Outcome Set(Context& context, Assignment assignment) {
  const Key* key = MLOS_TRY(Known(assignment.key));
  if (key->type == config::KeyType::kSecret) assignment.value = MLOS_TRY(ReadSecret(assignment));
  if (key->name == "home_dir") {
    return Status(Reason::kUsage,
                  "home_dir is the folder of config.yaml itself; set AXON_HOME instead");
  }
  MLOS_TRY(config::CheckValue(*key, assignment.value));
  MLOS_TRY(config::SetInConfigFile(context.config.file(), assignment.key, assignment.value));
  const config::Origin origin = context.config.Get(key->name).origin;
  if (origin == config::Origin::kEnvironment) {
    context.console.Warn(std::string(key->variable) + " is set and overrides " + assignment.key);
  }
  if (!context.console.json()) return mlos::OkStatus();
  ui::JsonWriter json;
  json.BeginObject().Field("key", key->name).Field("file", context.config.file().string());
  context.console.Data(json.EndObject());
  return mlos::OkStatus();
}

Outcome List(Context& context) {
  ui::JsonWriter json;
  json.BeginArray();
  std::vector<std::vector<std::string>> rows;
  for (const Key& key : config::Keys()) {
    const Value& value = context.config.Get(key.name);
    rows.push_back({std::string(key.name), Shown(key, value), std::string(ToString(value.origin))});
    json.BeginObject().Field("key", key.name).Field("value", Shown(key, value));
    json.Field("origin", ToString(value.origin)).EndObject();
  }
  json.EndArray();
  if (context.console.json()) {
    context.console.Data(json);
  } else {
    context.console.Data(ui::FormatTable(rows));
  }
  for (const std::string& name : context.config.unused()) {
    context.console.Note("config.yaml sets " + name + ", which this version does not use");
  }
  return mlos::OkStatus();
}

}  // namespace

void AddConfig(Commands& commands) {
  Command group = commands.AddGroup("config", "Shows and changes the settings");
  auto name = std::make_shared<std::string>();
  commands
      .AddTo(group, "get", "Shows one setting",
             [name](Context& context) { return Get(context, *name); })
      .Argument("key", *name, "Its name, as `config list` shows it");
  auto assignment = std::make_shared<Assignment>();
  commands
      .AddTo(group, "set", "Writes one setting to config.yaml",
             [assignment](Context& context) { return Set(context, *assignment); })
      .Argument("key", assignment->key, "Its name, as `config list` shows it")
      .Argument("value", assignment->value, "Its value; - reads a secret from standard input");
  commands.AddTo(group, "list", "Shows every setting and where its value is from", List);
}

}  // namespace axon::cli
