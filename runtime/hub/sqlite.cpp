#include "runtime/hub/sqlite.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <vector>

namespace weir::hub {

Database::~Database() { sqlite3_close(db_); }

Result<void> Database::Open(const std::string& path, int flags, const std::string& vfs) {
  if (sqlite3_open_v2(path.c_str(), &db_, flags | SQLITE_OPEN_NOMUTEX, vfs.empty() ? nullptr : vfs.c_str()) != SQLITE_OK) {
    return Error{"cannot open the hub `" + path +
                 "`: " + (db_ ? sqlite3_errmsg(db_) : "out of memory")};
  }
  sqlite3_busy_timeout(db_, 5000);
  return {};
}

Result<void> RenewLog(const std::string& path, const std::string& vfs_name) {
  const std::string log = path + "-wal";
  sqlite3_vfs* vfs = sqlite3_vfs_find(vfs_name.empty() ? nullptr : vfs_name.c_str());
  int exists = 0;
  if (vfs == nullptr || vfs->xAccess(vfs, log.c_str(), SQLITE_ACCESS_EXISTS, &exists) != SQLITE_OK || exists == 0) {
    return {};
  }
  const auto memory = std::make_unique<std::max_align_t[]>(static_cast<size_t>(vfs->szOsFile) / sizeof(std::max_align_t) + 1);
  auto* file = reinterpret_cast<sqlite3_file*>(memory.get());
  int code = vfs->xOpen(vfs, log.c_str(), file, SQLITE_OPEN_READWRITE | SQLITE_OPEN_WAL, nullptr);
  if (code == SQLITE_OK) {
    sqlite3_int64 size = 0;
    code = file->pMethods->xFileSize(file, &size);
    std::vector<char> piece(64u << 10);  // SQLite's own VFS takes less than 128 KiB at once
    for (sqlite3_int64 at = 0; code == SQLITE_OK && at < size;) {
      const int count = static_cast<int>(std::min<sqlite3_int64>(size - at, static_cast<sqlite3_int64>(piece.size())));
      code = file->pMethods->xRead(file, piece.data(), count, at);
      if (code == SQLITE_OK) {
        code = file->pMethods->xWrite(file, piece.data(), count, at);
      }
      at += count;
    }
    if (code == SQLITE_OK) {
      code = file->pMethods->xSync(file, SQLITE_SYNC_NORMAL);
    }
    file->pMethods->xClose(file);
  }
  return code == SQLITE_OK ? Result<void>() : Result<void>(Error{std::string("hub store: the log cannot be renewed: ") + sqlite3_errstr(code)});
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
