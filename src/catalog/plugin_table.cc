// SPDX-License-Identifier: MIT
#include "catalog/plugin_table.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "catalog/requests.h"
#include "plugin/plugin.h"
#include "registry/loading.h"

namespace mlos::catalog {
namespace {

namespace fs = std::filesystem;

Status PluginNotFound(std::string_view plugin_id) {
  return Status(Reason::kPluginNotFound, "no plugin '" + Excerpt(plugin_id) + "' is registered")
      .WithField("plugin_id");
}

/// What the descriptor beside a plugin's file says that it runs, if there is one.
Result<std::vector<std::string>> PromisedFormats(const fs::path& library,
                                                 std::string_view plugin_id) {
  std::optional<PluginDescriptor> descriptor = MLOS_TRY(FindDescriptor(library));
  if (!descriptor) return std::vector<std::string>();
  if (descriptor->id == plugin_id) return std::move(descriptor->formats);
  return Status(Reason::kPluginIncompatible, "the plugin's descriptor has the id '" +
                                                 descriptor->id + "', not '" +
                                                 std::string(plugin_id) + "'");
}

}  // namespace

std::string_view ToString(PluginState state) {
  switch (state) {
    case PluginState::kRegistered:
      return "registered";
    case PluginState::kLoaded:
      return "loaded";
    default:
      return "failed";
  }
}

Result<std::unique_ptr<PluginTable>> PluginTable::Create(PluginTableOptions options,
                                                         registry::Registry& registry) {
  std::vector<registry::PluginRecord> records = MLOS_TRY(registry.Plugins());
  std::unique_ptr<PluginTable> table(new PluginTable(std::move(options), registry));
  table->FindDescriptors();
  for (registry::PluginRecord& record : records) {
    Entry entry{.record = std::move(record)};
    if (entry.record.quarantined) {
      entry.error = Status(Reason::kPluginFailed,
                           entry.record.lost()
                               ? "its registration was damaged on the disk; register it again"
                               : "Core died while loading it; register it again to try once more");
    }
    table->Put(std::move(entry));
  }
  return table;
}

PluginTable::PluginTable(PluginTableOptions options, registry::Registry& registry)
    : options_(std::move(options)),
      policy_(PathPolicy::Below(options_.plugin_dirs)),
      registry_(registry) {}

void PluginTable::FindDescriptors() {
  for (const fs::path& directory : options_.plugin_dirs) {
    for (PluginDescriptor& descriptor : DescriptorsIn(directory)) {
      const Status allowed = policy_.Resolve(descriptor.library.native()).status();
      if (!allowed.ok() || FindDescriptorOf(descriptor.id) != nullptr) {
        Log(LogLevel::kWarning, "descriptor of a plugin passed over",
            {{"plugin", descriptor.id},
             {"why", allowed.ok() ? "another descriptor has its id" : allowed.message()}});
        continue;
      }
      Put(EntryOf(descriptor));
      descriptors_.push_back(std::move(descriptor));
    }
  }
}

PluginTable::Entry PluginTable::EntryOf(const PluginDescriptor& descriptor) {
  Entry entry{.described = true, .formats = descriptor.formats};
  entry.record.plugin_id = descriptor.id;
  entry.record.name = descriptor.name;
  entry.record.path = descriptor.library;
  return entry;
}

const PluginDescriptor* PluginTable::FindDescriptorOf(std::string_view plugin_id) const {
  const auto found = std::find_if(descriptors_.begin(), descriptors_.end(),
                                  [&](const auto& known) { return known.id == plugin_id; });
  return found == descriptors_.end() ? nullptr : &*found;
}

void PluginTable::LoadRegistered() {
  const MutexLock loading(loading_);
  std::vector<Entry> entries;
  {
    const MutexLock lock(mutex_);
    entries = entries_;
  }
  for (Entry& entry : entries) {
    const registry::PluginRecord& record = entry.record;
    const bool wanted = !entry.described && !record.quarantined && !record.path.empty();
    if (!wanted || entry.engine != nullptr) continue;
    entry.error = Open(entry);
    if (!entry.error.ok()) {
      Log(LogLevel::kError, "plugin not loaded",
          {{"plugin", record.plugin_id}, LogField(entry.error)});
    }
    Put(std::move(entry));
  }
}

Status PluginTable::Open(Entry& entry) {
  const registry::PluginRecord& record = entry.record;
  const fs::path path = MLOS_TRY(policy_.Resolve(record.path));
  if (!entry.described) entry.formats = MLOS_TRY(PromisedFormats(path, record.plugin_id));
  const plugin::PluginOptions options{
      .expected_id = record.plugin_id,
      .config = record.config,
      .thread_count = options_.thread_count,
      .arena_bytes_max = options_.arena_bytes_max,
      .promised_formats = entry.formats,
  };
  const registry::Loading loading(registry_, registry::LoadKind::kPlugin, record.plugin_id,
                                  record.path);
  entry.engine = MLOS_TRY(plugin::LoadPlugin(path, options));
  entry.formats = entry.engine->formats();
  return OkStatus();
}

Result<PluginInfo> PluginTable::Register(const RegisterPluginRequest& request) {
  MLOS_TRY(CheckPluginRequest(request));
  const MutexLock loading(loading_);
  const std::optional<Entry> existing = Find(request.id);
  if (existing.has_value() && existing->described) {
    return Status(Reason::kAlreadyExists, "plugin '" + request.id +
                                              "' is known by its descriptor and needs no "
                                              "registration")
        .WithField("id");
  }
  registry::PluginRecord record =
      MergedRecord(request, existing.has_value() ? existing->record : registry::PluginRecord());
  if (!request.path.empty()) {
    Result<fs::path> path = policy_.Resolve(request.path);
    if (!path.ok()) return std::move(path).status().WithField("path");
    record.path = *path;
  }
  const bool same = existing.has_value() && SameContent(record, existing->record);
  const bool loaded = existing.has_value() && existing->engine != nullptr;
  if (same && (loaded || request.path.empty())) return InfoOf(*existing);
  if (loaded) {
    return Status(Reason::kConflict, "plugin '" + request.id +
                                         "' is loaded with another path, config, name or version; "
                                         "remove it first");
  }
  return LoadAndPut(std::move(record));
}

Result<PluginInfo> PluginTable::LoadAndPut(registry::PluginRecord record) {
  Entry entry{.record = std::move(record)};
  if (!entry.record.path.empty()) {
    if (Status opened = Open(entry); !opened.ok()) return std::move(opened).WithField("path");
    if (entry.record.name.empty()) entry.record.name = entry.engine->name();
    if (entry.record.version.empty()) entry.record.version = entry.engine->version();
  }
  MLOS_TRY(registry_.PutPlugin(entry.record));
  PluginInfo info = InfoOf(entry);
  Put(std::move(entry));
  return info;
}

Result<PluginInfo> PluginTable::Get(std::string_view plugin_id) const {
  const std::optional<Entry> entry = Find(plugin_id);
  if (!entry.has_value()) return PluginNotFound(plugin_id);
  return InfoOf(*entry);
}

std::vector<PluginInfo> PluginTable::List() const {
  std::vector<Entry> entries;
  {
    const MutexLock lock(mutex_);
    entries = entries_;
  }
  std::vector<PluginInfo> infos;
  infos.reserve(entries.size());
  for (const Entry& entry : entries) infos.push_back(InfoOf(entry));
  return infos;
}

Status PluginTable::Remove(std::string_view plugin_id) {
  const MutexLock loading(loading_);
  const std::optional<Entry> entry = Find(plugin_id);
  if (!entry.has_value()) return PluginNotFound(plugin_id);
  if (entry->described) {
    return {Reason::kPermissionDenied,
            "plugin '" + entry->record.plugin_id +
                "' is known by its descriptor and stays as long as that lies in a plugin folder"};
  }
  MLOS_TRY(registry_.RemovePlugin(plugin_id));
  if (const PluginDescriptor* descriptor = FindDescriptorOf(plugin_id)) {
    Put(EntryOf(*descriptor));
    return OkStatus();
  }
  const MutexLock lock(mutex_);
  std::erase_if(entries_, [&](const Entry& e) { return e.record.plugin_id == plugin_id; });
  return OkStatus();
}

bool PluginTable::Runs(const Entry& entry, std::string_view format) {
  if (!entry.described && entry.engine == nullptr) return false;
  return std::find(entry.formats.begin(), entry.formats.end(), format) != entry.formats.end();
}

Result<std::string> PluginTable::Choose(std::string_view wanted, std::string_view format) const {
  if (!wanted.empty()) {
    if (!Contains(wanted)) return PluginNotFound(wanted);
    return std::string(wanted);
  }
  const MutexLock lock(mutex_);
  for (const Entry& entry : entries_) {
    if (Runs(entry, format)) return entry.record.plugin_id;
  }
  return Status(Reason::kNoPlugin, "no loaded plugin runs models of the format '" +
                                       Excerpt(format) + "'; register one, or name it by plugin_id")
      .WithField("execution_format");
}

bool PluginTable::Contains(std::string_view plugin_id) const { return Find(plugin_id).has_value(); }

Result<PluginHandle> PluginTable::Load(std::string_view plugin_id) {
  std::optional<Entry> entry = Find(plugin_id);
  if (!entry.has_value()) return PluginNotFound(plugin_id);
  if (entry->engine == nullptr && entry->described) entry = LoadDescribed(plugin_id);
  const registry::PluginRecord& record = entry->record;
  if (entry->engine == nullptr) {
    return Status(Reason::kNoPlugin, "plugin '" + record.plugin_id + "' is not loaded: " +
                                         (entry->error.ok() ? "it was registered without a path"
                                                            : std::string(entry->error.message())))
        .WithField("plugin_id");
  }
  return PluginHandle{record.plugin_id, record.path, record.config, entry->engine};
}

// Tried again each time: what failed may be repaired meanwhile.
PluginTable::Entry PluginTable::LoadDescribed(std::string_view plugin_id) {
  const MutexLock loading(loading_);
  Entry entry = Find(plugin_id).value();
  if (entry.engine != nullptr) return entry;
  entry.error = Open(entry);
  Put(entry);
  return entry;
}

std::vector<package::FormatExtension> PluginTable::Extensions() const {
  std::vector<package::FormatExtension> known;
  for (const PluginDescriptor& descriptor : descriptors_) {
    for (const std::string& extension : descriptor.extensions) {
      known.push_back({extension, descriptor.formats.front()});
    }
  }
  return known;
}

std::optional<PluginTable::Entry> PluginTable::Find(std::string_view plugin_id) const {
  const MutexLock lock(mutex_);
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return entry.record.plugin_id == plugin_id;
  });
  if (found == entries_.end()) return std::nullopt;
  return *found;
}

void PluginTable::Put(Entry entry) {
  const MutexLock lock(mutex_);
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) {
    return e.record.plugin_id == entry.record.plugin_id;
  });
  if (found == entries_.end()) {
    entries_.push_back(std::move(entry));
  } else {
    std::swap(*found, entry);
  }
}

PluginInfo PluginTable::InfoOf(const Entry& entry) {
  PluginInfo info;
  info.id = entry.record.plugin_id;
  info.name = entry.record.name;
  info.version = entry.record.version;
  info.path = entry.record.path;
  info.builtin = entry.described;
  info.formats = entry.formats;
  info.error = entry.error;
  if (!entry.error.ok()) info.state = PluginState::kFailed;
  if (entry.engine != nullptr) {
    info.state = PluginState::kLoaded;
    if (info.version.empty()) info.version = entry.engine->version();
    if (info.name.empty()) info.name = entry.engine->name();
    info.health = entry.engine->health();
    info.memory = entry.engine->memory();
    info.gauges = entry.engine->gauges();
  }
  return info;
}

}  // namespace mlos::catalog
