// RAII over the SQLite API of SQLCipher. Errors stick to the Database: statements turn into no-ops
// after the first one, and the caller looks once, before COMMIT. Messages never hold bound values.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/result.h"

namespace weir::hub {

struct Blob {  // bound as BLOB; string_view is bound as TEXT
  std::string_view bytes;
};
struct Null {};

class Database {
 public:
  Database() = default;
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  Result<void> Open(const std::string& path, int flags, const std::string& vfs = {});
  bool Exec(const std::string& sql);
  std::string Text(const std::string& sql);  // first column of the first row
  int64_t Number(const std::string& sql, int64_t otherwise = 0);

  bool ok() const { return error_.empty(); }
  Error error() const { return {error_}; }
  void Fail(std::string_view what);
  void ClearError() { error_.clear(); }
  sqlite3* handle() const { return db_; }

 private:
  sqlite3* db_ = nullptr;
  std::string error_;
};

// Before the one writer opens the database at `path`: what its log holds is written and synced once more. After a failed fsync the
// page cache may hold log frames that are marked clean and are on no disk. Whoever opens the database reads them as good, later syncs
// leave them out, and a power cut would then take them and every later transaction with them.
Result<void> RenewLog(const std::string& path, const std::string& vfs);

class Statement {
 public:
  Statement(Database& db, std::string_view sql);
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  template <typename... Args>
  bool Run(const Args&... args) {  // to its end
    Start(args...);
    const bool done = Next() || db_.ok();
    Reset();
    return done;
  }
  template <typename... Args>
  bool First(const Args&... args) {  // is there a row? Reset when it was read
    Start(args...);
    return Next();
  }
  bool Next();
  void Reset() { sqlite3_reset(statement_); }

  int64_t Int(int column) const { return sqlite3_column_int64(statement_, column); }
  bool IsNull(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }
  std::string_view Bytes(int column) const {  // valid until Next or Reset
    const void* data = sqlite3_column_blob(statement_, column);
    return {static_cast<const char*>(data),
            data == nullptr ? 0 : static_cast<size_t>(sqlite3_column_bytes(statement_, column))};
  }
  std::string String(int column) const { return std::string(Bytes(column)); }

 private:
  template <typename... Args>
  void Start(const Args&... args) {
    sqlite3_reset(statement_);
    int at = 0;
    (Bind(++at, args), ...);
  }
  void Bind(int at, int64_t value) { sqlite3_bind_int64(statement_, at, value); }
  void Bind(int at, uint32_t value) { sqlite3_bind_int64(statement_, at, value); }
  void Bind(int at, int value) { sqlite3_bind_int64(statement_, at, value); }
  void Bind(int at, std::string_view text) {  // empty is not NULL
    sqlite3_bind_text64(statement_, at, text.empty() ? "" : text.data(), text.size(), SQLITE_STATIC,
                        SQLITE_UTF8);
  }
  void Bind(int at, Blob blob) {  // likewise
    sqlite3_bind_blob64(statement_, at, blob.bytes.empty() ? "" : blob.bytes.data(),
                        blob.bytes.size(), SQLITE_STATIC);
  }
  void Bind(int at, Null) { sqlite3_bind_null(statement_, at); }
  template <typename T>
  void Bind(int at, const std::optional<T>& value) {
    if (value) {
      Bind(at, *value);
    } else {
      Bind(at, Null{});
    }
  }

  Database& db_;
  sqlite3_stmt* statement_ = nullptr;
};

}  // namespace weir::hub
