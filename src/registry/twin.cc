// SPDX-License-Identifier: MIT
#include "registry/twin.h"

#include "base/log.h"
#include "registry/rows.h"

namespace mlos::registry {
namespace {

Status Commit(disk::Database& database, const Twin::Edit& edit) {
  disk::Transaction transaction = MLOS_TRY(disk::Transaction::Begin(database));
  MLOS_TRY(edit(database));
  MLOS_TRY(AdvanceSeal(database));
  return transaction.Commit();
}

bool IsFull(const Status& status) { return !status.ok() && status.reason() == Reason::kDiskFull; }

}  // namespace

Result<std::unique_ptr<Twin>> Twin::Open(const std::filesystem::path& path) {
  FoundFiles found = MLOS_TRY(FindFiles(path));
  HealedFiles healed = MLOS_TRY(Heal(std::move(found)));
  disk::Reserve reserve(std::filesystem::path(path).replace_extension(".reserve"));
  // A disk that is full already must not keep Core from serving.
  const Status reserved = reserve.Take();
  if (!reserved.ok()) Log(LogLevel::kWarning, "no space in reserve", {LogField(reserved)});
  return std::unique_ptr<Twin>(new Twin(path, std::move(reserve), std::move(healed)));
}

Status Twin::Change(Room room, const Edit& edit, const Entry& entry) {
  if (room == Room::kNeeds) MLOS_TRY(reserve_.Take());
  if (copy_ == nullptr || copy_->long_enough()) RenewCopy();
  MLOS_TRY(CommitToMain(room, edit));
  ++generation_;
  if (copy_ != nullptr) AppendToCopy(entry);
  Status synced = main_->Sync();
  // If there is still no room, the next change that needs some says so.
  if (room == Room::kMakes) (void)reserve_.Take();
  return synced;
}

Status Twin::CommitToMain(Room room, const Edit& edit) {
  Status committed = Commit(*main_, edit);
  if (!IsFull(committed) || room == Room::kNeeds) return committed;
  MLOS_TRY(UseReserve());
  return Commit(*main_, edit);
}

// The log's content moves into the main file, which may grow by that, and the log begins anew where
// it has room: from then on, removals need no more space than there is.
Status Twin::UseReserve() {
  reserve_.Release();
  return main_->Checkpoint();
}

// The main file has the change, so the copy may use what it takes.
void Twin::AppendToCopy(const Entry& entry) {
  Status appended = copy_->Append(generation_, entry);
  if (IsFull(appended)) {
    const Status used = UseReserve();
    appended = used.ok() ? copy_->Append(generation_, entry) : used;
  }
  if (!appended.ok()) DropCopy(appended);
}

void Twin::RenewCopy() {
  copy_.reset();
  const Result<Content> content = ContentOf(*main_, generation_);
  if (!content.ok()) return DropCopy(content.status());
  Result<std::unique_ptr<Copy>> renewed = Copy::Write(copy_path_, *content);
  if (!renewed.ok()) return DropCopy(renewed.status());
  copy_ = std::move(renewed).value();
  Log(LogLevel::kInfo, "registry's second copy written anew");
}

void Twin::DropCopy(const Status& why) {
  copy_.reset();
  Log(LogLevel::kError, "the registry's second copy cannot be written", {LogField(why)});
}

}  // namespace mlos::registry
