#include "runtime/hub/sqlite.h"

namespace weir::hub {

Database::~Database() { sqlite3_close(db_); }

Result<void> Database::Open(const std::string& path, int flags) {
  if (sqlite3_open_v2(path.c_str(), &db_, flags | SQLITE_OPEN_NOMUTEX, nullptr) != SQLITE_OK) {
    return Error{"cannot open the hub `" + path +
                 "`: " + (db_ ? sqlite3_errmsg(db_) : "out of memory")};
  }
  sqlite3_busy_timeout(db_, 5000);
  return {};
}

void Database::Fail(std::string_view what) {
  if (error_.empty()) {
    error_ = "hub store: " + std::string(what);
  }
}

bool Database::Exec(const std::string& sql) {
  if (!ok()) {
    return false;
  }
  if (sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    Fail(sqlite3_errmsg(db_));
  }
  return ok();
}

std::string Database::Text(const std::string& sql) {
  Statement statement(*this, sql);
  return statement.First() ? statement.String(0) : std::string();
}

int64_t Database::Number(const std::string& sql, int64_t otherwise) {
  Statement statement(*this, sql);
  return statement.First() ? statement.Int(0) : otherwise;
}

Statement::Statement(Database& db, std::string_view sql) : db_(db) {
  if (!db.ok()) {
    return;
  }
  if (sqlite3_prepare_v3(db.handle(), sql.data(), static_cast<int>(sql.size()),
                         SQLITE_PREPARE_PERSISTENT, &statement_, nullptr) != SQLITE_OK) {
    db.Fail(sqlite3_errmsg(db.handle()));
  }
}

bool Statement::Next() {
  if (!db_.ok() || statement_ == nullptr) {
    return false;
  }
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) {
    return true;
  }
  if (code != SQLITE_DONE) {
    db_.Fail(sqlite3_errmsg(db_.handle()));
  }
  sqlite3_reset(statement_);
  return false;
}

}  // namespace weir::hub
