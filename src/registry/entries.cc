// SPDX-License-Identifier: MIT
#include "registry/entries.h"

#include <charconv>
#include <initializer_list>
#include <utility>
#include <vector>

#include "registry/disk/seal.h"
#include "settings/json.h"

namespace mlos::registry {
namespace {

constexpr std::string_view kBeginning = "begin";
constexpr std::string_view kModel = "model";
constexpr std::string_view kRemovedModel = "no model";
constexpr std::string_view kPlugin = "plugin";
constexpr std::string_view kRemovedPlugin = "no plugin";
constexpr std::size_t kSealDigits = 16;

using Fields = std::vector<std::string>;

Status Unreadable() { return {Reason::kStoreCorrupt, "a line cannot be read"}; }

void AppendEscaped(std::string& line, std::string_view field) {
  line += '\t';
  for (const char c : field) {
    switch (c) {
      case '\t':
        line += "\\t";
        break;
      case '\n':
        line += "\\n";
        break;
      case '\\':
        line += "\\\\";
        break;
      default:
        line += c;
    }
  }
}

std::string Unescaped(std::string_view field) {
  std::string text;
  for (std::size_t i = 0; i < field.size(); ++i) {
    if (field[i] != '\\' || i + 1 == field.size()) {
      text += field[i];
      continue;
    }
    const char c = field[++i];
    text += c == 't' ? '\t' : c == 'n' ? '\n' : c;
  }
  return text;
}

Fields Split(std::string_view text) {
  Fields fields;
  while (true) {
    const std::size_t tab = text.find('\t');
    fields.push_back(Unescaped(text.substr(0, tab)));
    if (tab == std::string_view::npos) return fields;
    text.remove_prefix(tab + 1);
  }
}

std::int64_t Number(std::string_view text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::string Hex(std::uint64_t seal) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex(kSealDigits, '0');
  for (std::size_t i = kSealDigits; i > 0; --i, seal >>= 4) hex[i - 1] = kDigits[seal & 0xf];
  return hex;
}

const char* Flag(bool value) { return value ? "1" : "0"; }

Fields FieldsOf(const Beginning& beginning) {
  return {std::string(kBeginning), std::to_string(beginning.lines)};
}

Fields FieldsOf(const ModelRecord& m) {
  return {std::string(kModel),
          m.model_id,
          m.name,
          m.version,
          m.framework,
          m.execution_format,
          m.description,
          m.path,
          m.served_path,
          m.manifest_path,
          m.plugin_id,
          m.digest,
          Flag(m.verified),
          Flag(m.autoload),
          Flag(m.quarantined),
          std::to_string(m.registered_at),
          settings::ToJson(m.settings)};
}

Fields FieldsOf(const RemovedModel& removed) {
  return {std::string(kRemovedModel), removed.model_id};
}

Fields FieldsOf(const PluginRecord& p) {
  return {std::string(kPlugin),
          p.plugin_id,
          p.name,
          p.version,
          p.path,
          p.config,
          Flag(p.quarantined),
          std::to_string(p.registered_at)};
}

Fields FieldsOf(const RemovedPlugin& removed) {
  return {std::string(kRemovedPlugin), removed.plugin_id};
}

Result<Entry> ModelOf(const Fields& f) {
  ModelRecord model{.model_id = f[1],
                    .name = f[2],
                    .version = f[3],
                    .framework = f[4],
                    .execution_format = f[5],
                    .description = f[6],
                    .path = f[7],
                    .served_path = f[8],
                    .manifest_path = f[9],
                    .plugin_id = f[10],
                    .digest = f[11],
                    .verified = f[12] == "1",
                    .autoload = f[13] == "1",
                    .quarantined = f[14] == "1",
                    .registered_at = Number(f[15])};
  Result<settings::ModelSettings> settings = settings::ParseSettings(f[16]);
  if (settings.ok()) model.settings = *std::move(settings);
  return Entry(std::move(model));
}

Result<Entry> EntryOf(const Fields& f) {
  constexpr std::size_t kModelFields = 17;
  constexpr std::size_t kPluginFields = 8;
  if (f[0] == kModel && f.size() == kModelFields) return ModelOf(f);
  if (f[0] == kPlugin && f.size() == kPluginFields) {
    return Entry(PluginRecord{.plugin_id = f[1],
                              .name = f[2],
                              .version = f[3],
                              .path = f[4],
                              .config = f[5],
                              .quarantined = f[6] == "1",
                              .registered_at = Number(f[7])});
  }
  if (f.size() != 2) return Unreadable();
  if (f[0] == kBeginning) return Entry(Beginning{Number(f[1])});
  if (f[0] == kRemovedModel) return Entry(RemovedModel{f[1]});
  if (f[0] == kRemovedPlugin) return Entry(RemovedPlugin{f[1]});
  return Unreadable();
}

}  // namespace

std::string LineOf(std::int64_t generation, const Entry& entry) {
  std::string text = std::to_string(generation);
  const Fields fields = std::visit([](const auto& kind) { return FieldsOf(kind); }, entry);
  for (const std::string& field : fields) AppendEscaped(text, field);
  return Hex(disk::SealOf(text)) + "\t" + text + "\n";
}

Result<Line> ReadLine(std::string_view text) {
  const std::size_t tab = text.find('\t');
  if (tab == std::string_view::npos) return Unreadable();
  const std::string_view seal = text.substr(0, tab);
  text.remove_prefix(tab + 1);
  Line line{.sealed = seal == Hex(disk::SealOf(text))};
  Fields fields = Split(text);
  if (fields.size() < 2) return Unreadable();
  line.generation = Number(fields[0]);
  fields.erase(fields.begin());
  line.entry = MLOS_TRY(EntryOf(fields));
  return line;
}

}  // namespace mlos::registry
