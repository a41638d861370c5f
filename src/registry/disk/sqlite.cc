// SPDX-License-Identifier: MIT
#include "registry/disk/sqlite.h"

#include <cctype>
#include <cerrno>

#include "base/check.h"
#include "base/files.h"
#include "registry/disk/seal.h"

namespace mlos::registry::disk {
namespace {

constexpr int kBusyTimeoutMs = 5000;
// SQLite's own default: a log of about 1 MiB for pages of 4 KiB.
constexpr int kLogPagesMax = 256;

bool IsSyncFailure(int extended_code) {
  return extended_code == SQLITE_IOERR_FSYNC || extended_code == SQLITE_IOERR_DIR_FSYNC;
}

Status Damaged(std::string_view why) {
  return {Reason::kStoreCorrupt,
          "the registry of models and plugins is damaged (" + std::string(why) +
              "); bring back a backup with --restore, or move registry.db and registry.copy out "
              "of the state directory to start with an empty one"};
}

Status FailureOf(int extended_code, int system_error) {
  switch (extended_code & 0xff) {
    case SQLITE_FULL:
      return {Reason::kDiskFull, "the disk with the registry is full; nothing was changed"};
    // The statements are fixed: one that does not fit has met another schema.
    case SQLITE_ERROR:
    case SQLITE_SCHEMA:
    case SQLITE_MISMATCH:
    case SQLITE_CONSTRAINT:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Damaged(sqlite3_errstr(extended_code));
    case SQLITE_NOMEM:
      return {Reason::kOutOfMemory, "there is no memory left for the registry"};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {Reason::kStateLocked, "another process holds the registry"};
    default:
      return {
          system_error == ENOSPC || system_error == EDQUOT ? Reason::kDiskFull : Reason::kIoError,
          "cannot access the registry: " + std::string(sqlite3_errstr(extended_code))};
  }
}

std::string UriOf(const std::filesystem::path& path) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string uri = "file:";
  for (const char c : path.native()) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || c == '/' || c == '.' || c == '-' || c == '_') {
      uri += c;
    } else {
      uri += {'%', kHex[byte >> 4], kHex[byte & 0xf]};
    }
  }
  return uri;
}

}  // namespace

Query::~Query() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

// The text lives until the query dies (see Text), so SQLite need not copy it.
Query& Query::Text(std::string_view value) {
  const char* data = value.data() == nullptr ? "" : value.data();
  const int code =
      sqlite3_bind_text64(statement_, ++bound_, data, value.size(), SQLITE_STATIC, SQLITE_UTF8);
  if (code != SQLITE_OK) bind_error_ = code;
  return *this;
}

Query& Query::Int(std::int64_t value) {
  const int code = sqlite3_bind_int64(statement_, ++bound_, value);
  if (code != SQLITE_OK) bind_error_ = code;
  return *this;
}

Result<bool> Query::Step() {
  if (bind_error_ != SQLITE_OK) return database_.Failure(bind_error_);
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return database_.Failure(code);
}

Status Query::Run() {
  const bool row = MLOS_TRY(Step());
  MLOS_CHECK(!row, "a statement that changes something yields no rows");
  return OkStatus();
}

std::string Query::TextAt(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (text == nullptr) return {};
  return {text, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::int64_t Query::IntAt(int column) const { return sqlite3_column_int64(statement_, column); }

Result<std::unique_ptr<Database>> Database::Connect(const std::string& name, int flags,
                                                    bool alone) {
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(name.c_str(), &handle, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  if (handle == nullptr) return FailureOf(SQLITE_NOMEM, 0);
  std::unique_ptr<Database> database(new Database(handle));
  sqlite3_extended_result_codes(handle, 1);
  if (code != SQLITE_OK) return database->Failure(code);
  // Before the first read, which would make the index of the log a file.
  if (alone) MLOS_TRY(database->Execute("PRAGMA locking_mode = EXCLUSIVE"));
  MLOS_TRY(database->Configure());
  return database;
}

Result<std::unique_ptr<Database>> Database::Open(const std::filesystem::path& path) {
  auto database = MLOS_TRY(Connect(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE));
  sqlite3_wal_hook(database->handle_, &Database::OnCommit, database.get());
  // In WAL mode the file stays sound with NORMAL
  // (https://sqlite.org/pragma.html#pragma_synchronous); Sync does the rest.
  MLOS_TRY(database->Execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL"));
  MLOS_TRY(FsyncDirectory(path.parent_path()));
  return database;
}

// A log that nobody else uses is read with an index in memory instead of a file beside it. Without
// a log, "immutable" keeps SQLite from making an empty one.
Result<std::unique_ptr<Database>> Database::OpenToLook(const std::filesystem::path& path,
                                                       bool shared) {
  const Result<std::uint64_t> log_bytes = FileSize(path.string() + "-wal");
  if (!shared && (!log_bytes.ok() || *log_bytes == 0)) {
    return Connect(UriOf(path) + "?immutable=1", SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
  }
  auto database = MLOS_TRY(Connect(path, SQLITE_OPEN_READWRITE, !shared));
  database->LeaveFiles();
  return database;
}

Database::~Database() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close(handle_);
}

Status Database::Configure() {
  sqlite3_busy_timeout(handle_, kBusyTimeoutMs);
  // A file from elsewhere must not run code through its schema, nor pass as sound while it is not.
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  if (AddSealFunction(handle_) != SQLITE_OK) return FailureOf(SQLITE_NOMEM, 0);
  // No temporary files: a request would need a descriptor for one.
  return Execute(
      "PRAGMA foreign_keys = ON;"
      "PRAGMA cell_size_check = ON;"
      "PRAGMA temp_store = MEMORY;"
      "PRAGMA cache_size = -256;");
}

// In place of SQLite's automatic checkpoint, which would keep a failed sync to itself.
int Database::OnCommit(void* database, sqlite3* handle, const char* name, int log_pages) {
  if (log_pages < kLogPagesMax) return SQLITE_OK;
  const int code =
      sqlite3_wal_checkpoint_v2(handle, name, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  if (IsSyncFailure(code)) static_cast<Database*>(database)->sync_failed_ = true;
  return SQLITE_OK;
}

Status Database::Sync() {
  sqlite3_file* log = nullptr;
  int code = sqlite3_file_control(handle_, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
  if (code == SQLITE_OK) code = log->pMethods->xSync(log, SQLITE_SYNC_NORMAL);
  return code == SQLITE_OK ? OkStatus() : Failure(code);
}

Status Database::Checkpoint() {
  const int code =
      sqlite3_wal_checkpoint_v2(handle_, "main", SQLITE_CHECKPOINT_RESTART, nullptr, nullptr);
  return code == SQLITE_OK ? OkStatus() : Failure(code);
}

Status Database::CopyTo(const std::filesystem::path& path) {
  // Made beforehand, so that it is nobody else's to read.
  MLOS_TRY(CreateFile(path, 0600, path.filename().string()));
  Query copy = MLOS_TRY(Prepare("VACUUM INTO ?"));
  MLOS_TRY(copy.Text(path.native()).Run());
  MLOS_TRY(FsyncFile(path));
  return FsyncDirectory(path.has_parent_path() ? path.parent_path() : ".");
}

void Database::LeaveFiles() {
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

Status Database::Execute(const char* sql) {
  const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? OkStatus() : Failure(code);
}

Result<Query> Database::Prepare(const char* sql) {
  sqlite3_stmt*& statement = statements_[sql];
  if (statement == nullptr) {
    const int code =
        sqlite3_prepare_v3(handle_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) return Failure(code);
  }
  return Query(*this, statement);
}

Status Database::Failure(int code) {
  if (IsSyncFailure(code)) sync_failed_ = true;
  return FailureOf(code, sqlite3_system_errno(handle_));
}

Result<Transaction> Transaction::Begin(Database& database) {
  if (database.read_only()) {
    return Status(Reason::kIoError,
                  "the registry is read-only because its disk failed to store a change; restart "
                  "Core once the disk works");
  }
  MLOS_TRY(database.Execute("BEGIN IMMEDIATE"));
  return Transaction(database);
}

Transaction::~Transaction() {
  if (database_ == nullptr) return;
  // SQLite rolls back by itself after some failures, a full disk for one; this one then fails, and
  // has nothing left to do.
  (void)database_->Execute("ROLLBACK");
}

Status Transaction::Commit() {
  MLOS_TRY(database_->Execute("COMMIT"));
  database_ = nullptr;
  return OkStatus();
}

}  // namespace mlos::registry::disk
