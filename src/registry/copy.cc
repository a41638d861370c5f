// SPDX-License-Identifier: MIT
#include "registry/copy.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "base/files.h"

namespace mlos::registry {
namespace {

constexpr unsigned kCopyMode = 0600;
// A line has some hundred bytes, so a copy is written anew after some thousand changes.
constexpr std::uint64_t kLongBytes = 8 << 20;
constexpr std::uint64_t kCopyBytesMax = 1ULL << 30;
// On a full disk, removals still find room for their lines.
constexpr std::uint64_t kAheadBytes = 64 << 10;

template <typename Record>
void Forget(std::vector<Record>& records, std::string Record::* id, const std::string& value) {
  std::erase_if(records, [&](const Record& record) { return record.*id == value; });
}

/// What is there already keeps its place.
template <typename Record>
void Put(std::vector<Record>& records, std::string Record::* id, const Record& record) {
  const auto place = std::find_if(records.begin(), records.end(),
                                  [&](const Record& old) { return old.*id == record.*id; });
  if (place == records.end()) {
    records.push_back(record);
  } else {
    *place = record;
  }
}

/// Does to a content what an entry says.
struct Applier {
  Content& content;

  void operator()(const Beginning& /*beginning*/) const {}
  void operator()(const ModelRecord& model) const {
    Put(content.models, &ModelRecord::model_id, model);
  }
  void operator()(const RemovedModel& removed) const {
    Forget(content.models, &ModelRecord::model_id, removed.model_id);
  }
  void operator()(const PluginRecord& plugin) const {
    Put(content.plugins, &PluginRecord::plugin_id, plugin);
  }
  void operator()(const RemovedPlugin& removed) const {
    Forget(content.plugins, &PluginRecord::plugin_id, removed.plugin_id);
  }
};

/// Of whom a line speaks, as far as it can be read.
DamagedRow RowOf(const Entry& entry) {
  if (const auto* model = std::get_if<ModelRecord>(&entry)) return {"models", 0, model->model_id};
  if (const auto* model = std::get_if<RemovedModel>(&entry)) return {"models", 0, model->model_id};
  if (const auto* plugin = std::get_if<PluginRecord>(&entry)) {
    return {"plugins", 0, plugin->plugin_id};
  }
  if (const auto* plugin = std::get_if<RemovedPlugin>(&entry)) {
    return {"plugins", 0, plugin->plugin_id};
  }
  return {};
}

/// Takes a line that is not as it was written: of whom it speaks is not known any more.
void TakeDamaged(const Result<Line>& line, Copy::Found& found) {
  DamagedRow row;
  if (line.ok()) row = RowOf(line->entry);
  if (row.id.empty()) {
    found.findings.incomplete = true;
    return;
  }
  found.content.Apply(row.table == "models" ? Entry(RemovedModel{row.id})
                                            : Entry(RemovedPlugin{row.id}));
  found.findings.rows.push_back(std::move(row));
}

/// Takes the lines behind the first, which says where their generations begin.
void TakeLines(std::string_view text, const Line& first, Copy::Found& found) {
  const std::int64_t snapshot = std::get<Beginning>(first.entry).lines;
  std::int64_t number = 0;
  for (; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    const Result<Line> line = ReadLine(text.substr(0, end));
    const std::int64_t in_turn =
        first.generation + std::max<std::int64_t>(0, number + 1 - snapshot);
    found.content.generation = in_turn;
    if (line.ok() && line->sealed && line->generation == in_turn) {
      found.content.Apply(line->entry);
    } else {
      TakeDamaged(line, found);
    }
    // A line without an end was being written.
    if (end == std::string_view::npos) found.findings.incomplete = true;
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  if (number < snapshot) found.findings.incomplete = true;
}

Status TakeAll(std::string_view text, Copy::Found& found) {
  const std::size_t end = text.find('\n');
  if (end != std::string_view::npos) {
    const Result<Line> first = ReadLine(text.substr(0, end));
    if (first.ok() && first->sealed && std::holds_alternative<Beginning>(first->entry)) {
      found.content.generation = first->generation;
      TakeLines(text.substr(end + 1), *first, found);
      return OkStatus();
    }
  }
  return {Reason::kStoreCorrupt, "its first line is damaged"};
}

Status ReadAll(const std::filesystem::path& path, Copy::Found& found) {
  return TakeAll(MLOS_TRY(ReadFile(path, kCopyBytesMax)), found);
}

}  // namespace

void Content::Apply(const Entry& entry) { std::visit(Applier{*this}, entry); }

std::filesystem::path Copy::PathOf(const std::filesystem::path& registry) {
  return std::filesystem::path(registry).replace_extension(".copy");
}

Copy::Found Copy::Read(const std::filesystem::path& path) {
  Found found;
  found.findings.unreadable = ReadAll(path, found);
  found.findings.generation = found.content.generation;
  found.findings.models = static_cast<std::int64_t>(found.content.models.size());
  found.findings.plugins = static_cast<std::int64_t>(found.content.plugins.size());
  return found;
}

Result<std::unique_ptr<Copy>> Copy::Write(const std::filesystem::path& path,
                                          const Content& content) {
  const auto lines = static_cast<std::int64_t>(content.models.size() + content.plugins.size());
  std::string text = LineOf(content.generation, Beginning{lines});
  for (const ModelRecord& model : content.models) text += LineOf(content.generation, model);
  for (const PluginRecord& plugin : content.plugins) text += LineOf(content.generation, plugin);
  MLOS_TRY(WriteFileAtomic(path, text, kCopyMode));
  return Continue(path);
}

Result<std::unique_ptr<Copy>> Copy::Continue(const std::filesystem::path& path) {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW));
  struct stat info{};
  if (!fd.valid() || ::fstat(fd.get(), &info) != 0) {
    return ErrnoStatus(errno, "cannot open registry.copy");
  }
  std::unique_ptr<Copy> copy(new Copy(std::move(fd), static_cast<std::uint64_t>(info.st_size)));
  copy->AllocateAhead(0);
  return copy;
}

// Where that is not to be had, a line takes what it needs when it is written.
void Copy::AllocateAhead(std::uint64_t line_bytes) {
  if (size_bytes_ + line_bytes < allocated_bytes_) return;
  const auto begin = static_cast<off_t>(size_bytes_);
  const bool allocated = ::fallocate(fd_.get(), FALLOC_FL_KEEP_SIZE, begin, kAheadBytes) == 0;
  allocated_bytes_ = size_bytes_ + (allocated ? kAheadBytes : 0);
}

Status Copy::Append(std::int64_t generation, const Entry& entry) {
  const std::string line = LineOf(generation, entry);
  AllocateAhead(line.size());
  Status written = WriteAll(fd_.get(), line, "cannot write registry.copy");
  if (written.ok()) {
    size_bytes_ += line.size();
  } else if (::ftruncate(fd_.get(), static_cast<off_t>(size_bytes_)) != 0) {
    return ErrnoStatus(errno, "cannot write registry.copy");
  }
  return written;
}

bool Copy::long_enough() const { return size_bytes_ > kLongBytes; }

}  // namespace mlos::registry
