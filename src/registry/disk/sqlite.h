// SPDX-License-Identifier: MIT
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/result.h"

namespace mlos::registry::disk {

class Database;

/// One execution of a prepared statement: bind, step through the rows, and on destruction it is
/// ready for the next. Thread-compatible, like the database it belongs to.
class Query {
 public:
  Query(Query&& other) noexcept
      : database_(other.database_), statement_(std::exchange(other.statement_, nullptr)) {}
  Query& operator=(Query&&) = delete;
  ~Query();

  /// Bind the next parameter. The text must live until the query dies.
  Query& Text(std::string_view value);
  Query& Int(std::int64_t value);

  /// Moves to the next row; false after the last one.
  Result<bool> Step();
  /// Runs a query that yields no rows.
  Status Run();

  /// Columns of the current row, from 0.
  std::string TextAt(int column) const;
  std::int64_t IntAt(int column) const;

 private:
  friend class Database;
  Query(Database& database, sqlite3_stmt* statement) : database_(database), statement_(statement) {}

  Database& database_;
  sqlite3_stmt* statement_;
  int bound_ = 0;
  int bind_error_ = SQLITE_OK;
};

/// A connection to one SQLite file with a write-ahead log. What is committed outlives the process;
/// what is synced afterwards, the machine.
///
/// Failures: DISK_FULL, STORE_CORRUPT, OUT_OF_MEMORY, STATE_LOCKED (another process writes for
/// longer than five seconds), IO_ERROR. After a failed sync nothing more is written until the file
/// is opened anew: the kernel may have dropped what it could not write, and a retry would not
/// notice. Thread-compatible.
class Database {
 public:
  /// Opens or creates the file. Its content is not checked: see Inspect.
  static Result<std::unique_ptr<Database>> Open(const std::filesystem::path& path);
  /// Opens a file for reading and leaves it, its log and its folder as they are. `shared` where
  /// another process may use it.
  static Result<std::unique_ptr<Database>> OpenToLook(const std::filesystem::path& path,
                                                      bool shared);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database();

  /// Runs statements without parameters or rows.
  Status Execute(const char* sql);
  /// A query of `sql`, which must be a literal: it is prepared once.
  Result<Query> Prepare(const char* sql);

  /// Makes all that is committed survive a power cut.
  Status Sync();
  /// Moves the log's content into the file, so that the log begins anew where it has room.
  Status Checkpoint();
  /// A copy of the content in a file without a log, which only this user may read and which
  /// survives a power cut. What is at `path` is replaced.
  Status CopyTo(const std::filesystem::path& path);
  /// From now on the end of this connection leaves the files as they are.
  void LeaveFiles();

  /// Rows that the last Run inserted, changed or deleted.
  int changes() const { return sqlite3_changes(handle_); }
  bool read_only() const { return sync_failed_; }

 private:
  friend class Query;
  friend class Transaction;

  explicit Database(sqlite3* handle) : handle_(handle) {}
  static Result<std::unique_ptr<Database>> Connect(const std::string& name, int flags,
                                                   bool alone = false);
  Status Configure();
  Status Failure(int code);
  static int OnCommit(void* database, sqlite3* handle, const char* name, int log_pages);

  sqlite3* handle_;
  // By the text of the literal.
  std::unordered_map<std::string_view, sqlite3_stmt*> statements_;
  bool sync_failed_ = false;
};

/// A transaction that rolls back on destruction unless it was committed. Thread-compatible.
class Transaction {
 public:
  /// Takes the write lock at once, so that what is read in it still holds when it commits.
  static Result<Transaction> Begin(Database& database);
  Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();

  /// The changes survive the process once this has succeeded, and are gone when it fails.
  Status Commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}
  Database* database_;
};

}  // namespace mlos::registry::disk
