// SPDX-License-Identifier: MIT
#include "catalog/models.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/threads.h"
#include "catalog/requests.h"

namespace mlos::catalog {
namespace {

constexpr const char* kWhyQuarantined =
    "Core died while loading it; load it by hand to try once more, or remove it";

constexpr const char* kWhyLost =
    "its registration was damaged on the disk; register it again, or remove it";

// How long unloading and removing wait for another change of the model: what is longer is a load.
constexpr std::chrono::milliseconds kQuickChange{500};

bool WantsLoading(const ModelEntry& entry) {
  return entry.record.autoload &&
         (entry.state == ModelState::kRegistered || entry.state == ModelState::kFailed);
}

/// Whether registering it again tries to load it once more.
bool NeedsLoading(const ModelEntry& entry) {
  return WantsLoading(entry) || entry.state == ModelState::kQuarantined;
}

/// Keeps the files, not the model; nothing if that is gone.
std::optional<store::Copies::Copy> CopyOf(const std::weak_ptr<ServedModel>& model) {
  const std::shared_ptr<ServedModel> served = model.lock();
  return served == nullptr ? std::nullopt : std::optional(served->copy());
}

bool SameFiles(const registry::ModelRecord& a, const registry::ModelRecord& b) {
  return a.digest == b.digest && a.plugin_id == b.plugin_id &&
         a.execution_format == b.execution_format && a.version == b.version &&
         a.settings == b.settings;
}

}  // namespace

void Models::Adopt(std::vector<registry::ModelRecord> records) {
  for (registry::ModelRecord& record : records) {
    ModelEntry entry;
    if (record.quarantined) {
      const char* const why = record.lost() ? kWhyLost : kWhyQuarantined;
      entry.state = ModelState::kQuarantined;
      entry.error = Status(Reason::kModelQuarantined, why);
      Log(LogLevel::kError, "model quarantined", {{"model", record.model_id}, {"why", why}});
    }
    entry.record = std::move(record);
    stats_.AddModel(entry.record.model_id, entry.record.plugin_id);
    table_.Put(std::move(entry));
  }
}

void Models::LoadRegistered(const std::atomic<bool>& stop) {
  const std::vector<std::string> order = LoadingOrder();
  SideBySide(CoreCount(), order.size(), [&](std::size_t number) {
    if (!stop.load()) LoadListed(order[number]);
  });
  for (const std::string& model_id : registry_.suspects()) {
    if (!stop.load()) LoadListed(model_id);
  }
}

// A model whose files have not been copied yet takes the longest.
std::vector<std::string> Models::LoadingOrder() const {
  std::vector<std::pair<std::uint64_t, std::string>> sized;
  for (const ModelEntry& listed : table_.List()) {
    const registry::ModelRecord& record = listed.record;
    if (!WantsLoading(listed) || registry_.suspects().contains(record.model_id)) continue;
    constexpr std::uint64_t kUnknown = std::numeric_limits<std::uint64_t>::max();
    sized.emplace_back(copies_.BytesOf(record.digest).value_or(kUnknown), record.model_id);
  }
  std::ranges::sort(sized);
  std::vector<std::string> order;
  for (auto& [bytes, model_id] : sized) order.push_back(std::move(model_id));
  return order;
}

void Models::LoadListed(const std::string& model_id) {
  const auto changing = changing_.TryLock(model_id, kNoDeadline);
  // It may have been loaded or removed by hand meanwhile.
  const Result<ModelEntry> entry = table_.Get(model_id);
  if (!entry.ok() || !WantsLoading(*entry)) return;
  const Result<ModelInfo> loaded = LoadEntry(*entry, kNoDeadline);
  if (loaded.ok()) return;
  Log(LogLevel::kError, "model not loaded", {{"model", model_id}, LogField(loaded.status())});
}

Result<KeyedMutex::Lock> Models::LockBy(std::string_view model_id, Deadline deadline) {
  auto lock = changing_.TryLock(model_id, deadline);
  if (lock.has_value()) return *std::move(lock);
  return Status(Reason::kDeadlineExceeded,
                "the deadline passed while the model was being registered or loaded for others");
}

Result<KeyedMutex::Lock> Models::LockNow(std::string_view model_id) {
  auto lock = changing_.TryLock(model_id, SteadyClock::now() + kQuickChange);
  if (lock.has_value()) return *std::move(lock);
  return Status(Reason::kConflict,
                "the model is being registered or loaded; try again when that is over");
}

Result<RegisterModelOutcome> Models::Register(const RegisterModelRequest& request,
                                              Deadline deadline) {
  const ModelId id = MLOS_TRY(ModelId::Parse(request.model_id));
  MLOS_TRY(CheckModelRequest(request));
  const KeyedMutex::Lock changing = MLOS_TRY(LockBy(id.text(), deadline));
  FoundModel found;
  Result<RegisterModelOutcome> outcome = RegisterFound(id, request, found, deadline);
  Release(found);
  if (!outcome.ok()) RemoveUnusedCopies();
  return outcome;
}

// Without the model's lock: whoever changes it meanwhile comes before or after.
//
// The files of a new model are found by Register alone. Those of a model that is registered
// otherwise are found here and again in Register, on purpose: in between, the request waits for a
// loader's thread and for the model's lock as long as other loads take. Files found before that may
// have changed, and would be loaded under the digest of what they were.
Result<std::optional<ModelInfo>> Models::FindRegistered(const RegisterModelRequest& request) {
  const ModelId id = MLOS_TRY(ModelId::Parse(request.model_id));
  MLOS_TRY(CheckModelRequest(request));
  const Result<ModelEntry> existing = table_.Get(id.text());
  if (!existing.ok() || NeedsLoading(*existing)) return std::optional<ModelInfo>();
  FoundModel found;
  const Result<ModelEntry> entry = EntryOf(id, request, found);
  Release(found);
  if (!entry.ok()) return entry.status();
  if (!SameContent(entry->record, existing->record)) return std::optional<ModelInfo>();
  return std::optional<ModelInfo>(InfoOf(*existing));
}

void Models::Release(FoundModel& found) {
  if (found.pin == nullptr) return;
  found.pin.reset();
  RemoveUnusedPackage(found.served_path);
}

Result<ModelEntry> Models::EntryOf(const ModelId& id, const RegisterModelRequest& request,
                                   FoundModel& found) {
  KnownFormats formats;
  formats.accepts = [&](std::string_view execution_format) {
    return plugins_.Choose(request.plugin_id, execution_format).status();
  };
  formats.extensions = plugins_.Extensions();
  MLOS_TRY(finder_.Find(request, std::move(formats), found));
  const std::string plugin_id =
      MLOS_TRY(plugins_.Choose(request.plugin_id, found.files.execution_format));
  ModelEntry entry;
  entry.record = RecordOf(id, request, found, plugin_id);
  entry.schema = SchemaOf(found.files);
  return entry;
}

Result<RegisterModelOutcome> Models::RegisterFound(const ModelId& id,
                                                   const RegisterModelRequest& request,
                                                   FoundModel& found, Deadline deadline) {
  ModelEntry entry = MLOS_TRY(EntryOf(id, request, found));
  const Result<ModelEntry> existing = table_.Get(id.text());
  if (existing.ok() && SameContent(entry.record, existing->record))
    return Keep(*existing, deadline);
  if (existing.ok() && SameFiles(entry.record, existing->record) && existing->served != nullptr) {
    entry.served = existing->served;
  } else if (request.autoload) {
    entry.served = MLOS_TRY(LoadFiles(entry.record, std::move(found.files), deadline));
  }
  if (entry.served != nullptr) {
    entry.state = ModelState::kLoaded;
    entry.schema = entry.served->schema();
    entry.checked = {UnixSecondsNow(), OkStatus()};
  }
  MLOS_TRY(Commit(entry));
  if (existing.ok()) RemoveUnusedPackage(existing->record.served_path);
  if (existing.ok() && existing->record.digest != entry.record.digest) RemoveUnusedCopies();
  return RegisterModelOutcome{InfoOf(entry), true};
}

// The same again: nothing changes, except that what could not be loaded is tried once more.
Result<RegisterModelOutcome> Models::Keep(const ModelEntry& existing, Deadline deadline) {
  if (!NeedsLoading(existing)) return RegisterModelOutcome{InfoOf(existing), false};
  return RegisterModelOutcome{MLOS_TRY(LoadEntry(existing, deadline)), false};
}

Status Models::Commit(ModelEntry entry) {
  const MutexLock committing(committing_);
  if (!plugins_.Contains(entry.record.plugin_id)) {
    return {Reason::kConflict, "plugin '" + entry.record.plugin_id +
                                   "' was removed while the model was being registered"};
  }
  MLOS_TRY(registry_.PutModel(entry.record));
  copies_.Keep(entry.record.digest);
  stats_.AddModel(entry.record.model_id, entry.record.plugin_id,
                  entry.served == nullptr ? nullptr : entry.served->counts());
  table_.Put(std::move(entry));
  return OkStatus();
}

Result<ModelInfo> Models::Load(std::string_view model_id, Deadline deadline) {
  const KeyedMutex::Lock changing = MLOS_TRY(LockBy(model_id, deadline));
  const ModelEntry entry = MLOS_TRY(table_.Get(model_id));
  if (entry.served != nullptr) return InfoOf(entry);
  return LoadEntry(entry, deadline);
}

Result<ModelInfo> Models::LoadEntry(const ModelEntry& entry, Deadline deadline) {
  const std::string& model_id = entry.record.model_id;
  table_.Update(model_id, [](ModelEntry& e) { e.state = ModelState::kLoading; });
  Result<std::shared_ptr<ServedModel>> served = LoadAgain(entry.record, deadline);
  if (served.ok() && entry.record.quarantined) {
    registry::ModelRecord released = entry.record;
    released.quarantined = false;
    if (Status put = registry_.PutModel(released); !put.ok()) served = std::move(put);
  }
  table_.Update(model_id, [&](ModelEntry& e) {
    e.error = served.status();
    if (!served.ok()) {
      if (served.status().reason() == Reason::kChecksumMismatch) {
        e.checked = {UnixSecondsNow(), served.status()};
      }
      e.state = e.record.quarantined ? ModelState::kQuarantined : ModelState::kFailed;
      return;
    }
    e.state = ModelState::kLoaded;
    e.record.quarantined = false;
    e.served = *served;
    e.schema = e.served->schema();
    e.checked = {UnixSecondsNow(), OkStatus()};
  });
  if (!served.ok()) return std::move(served).status();
  return InfoOf(MLOS_TRY(table_.Get(model_id)));
}

Result<std::shared_ptr<ServedModel>> Models::LoadAgain(const registry::ModelRecord& record,
                                                       Deadline deadline) {
  if (record.lost()) return Status(Reason::kModelQuarantined, kWhyLost);
  return LoadFiles(record, MLOS_TRY(finder_.FindAgain(record)), deadline);
}

Result<std::shared_ptr<ServedModel>> Models::LoadFiles(const registry::ModelRecord& record,
                                                       package::ModelFiles files,
                                                       Deadline deadline) {
  MLOS_TRY(CheckNoneIsDamaged(record.digest));
  const store::Copies::Copy copy = MLOS_TRY(finder_.OwnCopy(std::move(files)));
  const PluginHandle plugin = MLOS_TRY(plugins_.Load(record.plugin_id));
  auto served =
      MLOS_TRY(loader_.Load(record, copy, plugin, stats_.CountsOf(record.model_id), deadline));
  served->on_damage = [this](const ServedModel& damaged) { GiveUp(damaged); };
  return served;
}

void Models::CheckFiles(const std::atomic<bool>& stop) {
  // Ids alone: a model that is unloaded meanwhile is not to be kept until the last was looked at.
  std::vector<std::string> ids;
  for (const ModelEntry& listed : table_.List()) ids.push_back(listed.record.model_id);
  for (const std::string& model_id : ids) {
    if (stop.load()) return;
    Result<ModelEntry> entry = table_.Get(model_id);
    if (!entry.ok()) continue;
    const std::weak_ptr<ServedModel> served = std::exchange(entry->served, nullptr);
    CheckFilesOf(entry->record, served);
  }
}

// Hashing gives way to requests; loading a model again, which they wait for, does not.
//
// Reading takes long, so the model is neither locked nor kept meanwhile: whoever unloads or removes
// it does not wait. What was found counts if the model is still the one that was looked at.
void Models::CheckFilesOf(const registry::ModelRecord& record,
                          const std::weak_ptr<ServedModel>& looked_at) {
  Status found;
  Status copy_found;
  WithLowestPriority([&] {
    found = finder_.FindAgain(record, Digesting::kRead).status();
    if (const std::optional<store::Copies::Copy> copy = CopyOf(looked_at)) {
      copy_found = finder_.CheckCopy(copy->files);
    }
  });
  // One that is being changed is checked by that.
  const auto changing = changing_.TryLock(record.model_id, SteadyClock::now());
  const Result<ModelEntry> entry = table_.Get(record.model_id);
  if (!changing.has_value() || !entry.ok() || entry->record.digest != record.digest ||
      entry->served != looked_at.lock()) {
    return;
  }
  TakeIn(*entry, std::move(found), copy_found);
}

void Models::TakeIn(const ModelEntry& entry, Status found, const Status& copy_found) {
  const std::string& model_id = entry.record.model_id;
  if (!found.ok()) {
    Log(LogLevel::kError, "a check found a model's files changed",
        {{"model", model_id}, LogField(found)});
  }
  if (!copy_found.ok()) {
    Log(LogLevel::kError, "a check found the copy that a model is served from changed",
        {{"model", model_id}, LogField(copy_found)});
    // Its bytes are no longer those of the digest that is shown: nothing is served rather.
    table_.Update(model_id, [](ModelEntry& e) { e.served = nullptr; });
    const Result<ModelInfo> loaded = LoadEntry(entry, kNoDeadline);
    if (found.ok()) found = loaded.status();
  }
  table_.Update(model_id, [&](ModelEntry& e) { e.checked = {UnixSecondsNow(), found}; });
}

Result<std::shared_ptr<ServedModel>> Models::Unload(std::string_view model_id) {
  const KeyedMutex::Lock changing = MLOS_TRY(LockNow(model_id));
  MLOS_TRY(table_.Get(model_id));
  std::shared_ptr<ServedModel> served;
  table_.Update(model_id, [&](ModelEntry& e) {
    if (e.served == nullptr && e.state != ModelState::kRegistered) return;
    served = std::move(e.served);
    e.served = nullptr;
    e.state = ModelState::kUnloaded;
  });
  return served;
}

std::shared_ptr<ServedModel> Models::TakeOut(std::string_view model_id,
                                             const std::function<bool(ServedModel&)>& is_meant,
                                             const Status& why) {
  std::shared_ptr<ServedModel> served;
  table_.Update(model_id, [&](ModelEntry& e) {
    if (e.served == nullptr || !is_meant(*e.served)) return;
    served = std::move(e.served);
    e.served = nullptr;
    e.state = ModelState::kFailed;
    e.error = why;
  });
  return served;
}

void Models::GiveUp(const scheduler::ModelQueue& queue) {
  const Status why(Reason::kModelInUse,
                   std::to_string(queue.overdue()) +
                       " runs of the model did not stop when their time was over; load it by hand "
                       "to try again");
  const auto served =
      TakeOut(queue.model_id(), [&](ServedModel& model) { return &model.runner() == &queue; }, why);
  if (served != nullptr) {
    Log(LogLevel::kError, "model given up: its runs do not stop",
        {{"model", queue.model_id()}, {"overdue_runs", queue.overdue()}});
  }
}

// All models of these files run in one session of their engine, and so with the same zeros.
void Models::GiveUp(const ServedModel& damaged) {
  const Status why(Reason::kIoError,
                   "the files of the model could not be read while it ran; load it by hand to try "
                   "again");
  for (const ModelEntry& listed : table_.List()) {
    if (listed.served == nullptr || listed.served->digest() != damaged.digest()) continue;
    TakeOut(
        listed.record.model_id, [&](ServedModel& model) { return &model == listed.served.get(); },
        why);
    const MutexLock lock(damaged_mutex_);
    damaged_.push_back(listed.served);
    Log(LogLevel::kError, "model given up: its files could not be read",
        {{"model", listed.record.model_id}});
  }
}

Status Models::CheckNoneIsDamaged(std::string_view digest) {
  const MutexLock lock(damaged_mutex_);
  std::erase_if(damaged_, [](const auto& served) { return served.expired(); });
  const bool runs = std::ranges::any_of(damaged_, [&](const auto& weak) {
    const std::shared_ptr<ServedModel> served = weak.lock();
    return served != nullptr && served->digest() == digest;
  });
  if (!runs) return OkStatus();
  return {Reason::kConflict, "runs with files that could not be read still go on; try again later"};
}

Result<std::shared_ptr<ServedModel>> Models::Remove(std::string_view model_id) {
  const KeyedMutex::Lock changing = MLOS_TRY(LockNow(model_id));
  const ModelEntry entry = MLOS_TRY(table_.Get(model_id));
  {
    const MutexLock committing(committing_);
    MLOS_TRY(registry_.RemoveModel(model_id));
    table_.Erase(model_id);
  }
  stats_.ForgetModel(model_id);
  RemoveUnusedPackage(entry.record.served_path);
  RemoveUnusedCopies();
  return entry.served;
}

void Models::RemoveUnusedPackage(const std::filesystem::path& folder) {
  // A model that is being registered holds its pin until it is committed: under the lock, it is
  // either in the table or still pinned.
  const MutexLock committing(committing_);
  const bool used =
      table_.Any([&](const registry::ModelRecord& record) { return record.served_path == folder; });
  if (!used) packages_.Remove(folder);
}

void Models::RemoveUnusedCopies() {
  const MutexLock committing(committing_);
  std::set<std::string> digests;
  table_.Any([&](const registry::ModelRecord& record) {
    digests.insert(store::Copies::NameOf(record.digest));
    return false;
  });
  copies_.Sweep([&](const std::string& name) { return digests.contains(name); });
}

Status Models::RemovePlugin(std::string_view plugin_id) {
  const MutexLock committing(committing_);
  const bool used = table_.Any(
      [&](const registry::ModelRecord& record) { return record.plugin_id == plugin_id; });
  if (used) {
    return {Reason::kPluginInUse,
            "models of plugin '" + std::string(plugin_id) + "' are registered; remove them first"};
  }
  return plugins_.Remove(plugin_id);
}

}  // namespace mlos::catalog
