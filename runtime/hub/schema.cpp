#include "runtime/hub/schema.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "runtime/hub/letters.h"

namespace weir::hub {
namespace {

// docs/hub.md explains each table. `ord` is the kernel's order key; ids are the 16 bytes of their
// hex; numbers of feeds, types, maps, sources and kernels are those of `name`.
constexpr const char* kTables = R"(
CREATE TABLE meta(name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE name(kind TEXT NOT NULL, n INTEGER NOT NULL, text TEXT NOT NULL, PRIMARY KEY(kind, n)) STRICT, WITHOUT ROWID;
CREATE TABLE kernel(n INTEGER PRIMARY KEY, manifest TEXT NOT NULL, artifact BLOB NOT NULL) STRICT;
CREATE TABLE inbox(msg INTEGER PRIMARY KEY, source INTEGER NOT NULL, position INTEGER NOT NULL, received INTEGER NOT NULL,
  feed INTEGER NOT NULL, status INTEGER NOT NULL, flags INTEGER NOT NULL, kernel INTEGER NOT NULL, event TEXT NOT NULL,
  event_time INTEGER, ord BLOB NOT NULL, digest BLOB NOT NULL, key BLOB NOT NULL, content BLOB NOT NULL,
  first_row INTEGER NOT NULL, rows INTEGER NOT NULL, raw BLOB) STRICT;
CREATE TABLE dedupe(key BLOB NOT NULL, content BLOB NOT NULL, msg INTEGER NOT NULL, PRIMARY KEY(key, content)) STRICT, WITHOUT ROWID;
CREATE TABLE contribution(row INTEGER PRIMARY KEY, msg INTEGER NOT NULL, type INTEGER NOT NULL, id BLOB NOT NULL,
  op INTEGER NOT NULL, map INTEGER NOT NULL, prev INTEGER, ord BLOB NOT NULL, tag TEXT NOT NULL, other BLOB,
  body BLOB NOT NULL, folded BLOB) STRICT;
CREATE TABLE resource_current(type INTEGER NOT NULL, id BLOB NOT NULL, head INTEGER NOT NULL, version INTEGER NOT NULL,
  survivor BLOB, PRIMARY KEY(type, id)) STRICT, WITHOUT ROWID;
CREATE TABLE superseded(n INTEGER PRIMARY KEY, row INTEGER NOT NULL, cause INTEGER NOT NULL, folded BLOB NOT NULL) STRICT;
CREATE TABLE alias(type INTEGER NOT NULL, loser BLOB NOT NULL, survivor BLOB, ord BLOB NOT NULL,
  PRIMARY KEY(type, loser)) STRICT, WITHOUT ROWID;
CREATE TABLE claim(type INTEGER NOT NULL, id BLOB NOT NULL, ord BLOB NOT NULL, msg INTEGER NOT NULL, owner TEXT NOT NULL,
  PRIMARY KEY(type, id, ord, msg, owner)) STRICT, WITHOUT ROWID;
CREATE INDEX claim_owner ON claim(owner);
CREATE INDEX claim_msg ON claim(msg);
CREATE TABLE dead_letter(msg INTEGER PRIMARY KEY, feed INTEGER NOT NULL, class TEXT NOT NULL, code TEXT NOT NULL,
  path TEXT NOT NULL, content BLOB NOT NULL) STRICT;
CREATE TABLE outbox(seq INTEGER PRIMARY KEY, event_id BLOB NOT NULL, sink TEXT NOT NULL, kind TEXT NOT NULL, row INTEGER NOT NULL) STRICT;
CREATE TABLE audit(seq INTEGER PRIMARY KEY, msg INTEGER NOT NULL, event INTEGER NOT NULL, facts BLOB NOT NULL, hash BLOB NOT NULL) STRICT;
CREATE TABLE source_position(source INTEGER PRIMARY KEY, position INTEGER NOT NULL, watermark INTEGER) STRICT;
CREATE TABLE ledger(feed INTEGER NOT NULL, counter TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY(feed, counter)) STRICT, WITHOUT ROWID;
)";

// Every so many links of a long chain, by order: where the search for a late contribution's place may start.
constexpr const char* kLandmarks =
    "CREATE TABLE landmark(type INTEGER NOT NULL, id BLOB NOT NULL, ord BLOB NOT NULL, row INTEGER NOT NULL, "
    "PRIMARY KEY(type, id, ord)) STRICT, WITHOUT ROWID;";

// docs/hub.md, Running again: attempts before the one in force, and the copies of a message.
constexpr const char* kAttempts = R"(
CREATE TABLE attempt(msg INTEGER NOT NULL, until INTEGER NOT NULL, kernel INTEGER NOT NULL, feed INTEGER NOT NULL, status INTEGER NOT NULL,
  flags INTEGER NOT NULL, event TEXT NOT NULL, event_time INTEGER, ord BLOB NOT NULL, key BLOB NOT NULL, content BLOB NOT NULL,
  first_row INTEGER NOT NULL, rows INTEGER NOT NULL, class TEXT NOT NULL, code TEXT NOT NULL, path TEXT NOT NULL,
  PRIMARY KEY(msg, until)) STRICT, WITHOUT ROWID;
CREATE INDEX inbox_copy ON inbox(key) WHERE status=1;
CREATE INDEX inbox_degraded ON inbox(msg) WHERE flags & 4;
CREATE INDEX inbox_held ON inbox(msg) WHERE status=7;
)";

// Acts of people, the search index, and what a dead letter says of its message.
constexpr const char* kActsAndTerms = R"(
CREATE TABLE act(seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL, facts TEXT NOT NULL, hash BLOB NOT NULL) STRICT;
CREATE TABLE term(hash INTEGER NOT NULL, kind INTEGER NOT NULL, type INTEGER NOT NULL, ref ANY NOT NULL,
  PRIMARY KEY(hash, kind, type, ref)) STRICT, WITHOUT ROWID;
CREATE TABLE term_mark(n INTEGER PRIMARY KEY, msg INTEGER NOT NULL, row INTEGER NOT NULL) STRICT;
INSERT INTO meta VALUES('secret', randomblob(16));
ALTER TABLE dead_letter ADD COLUMN sender TEXT NOT NULL DEFAULT '';
ALTER TABLE dead_letter ADD COLUMN detail TEXT NOT NULL DEFAULT '';
ALTER TABLE dead_letter ADD COLUMN patient INTEGER NOT NULL DEFAULT 0;
)";

// By parent, since that is how a merge asks; and the edges of what is within a merged key.
constexpr const char* kKin =
    "CREATE TABLE kin(parent BLOB NOT NULL, type INTEGER NOT NULL, id BLOB NOT NULL, parent_type INTEGER NOT NULL, own BLOB NOT NULL, "
    "PRIMARY KEY(parent, type, id)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE following(type INTEGER NOT NULL, loser BLOB NOT NULL, survivor BLOB NOT NULL, ord BLOB NOT NULL, "
    "PRIMARY KEY(type, loser)) STRICT, WITHOUT ROWID;";

// Step i brings a file of version i to i + 1, in the same transaction as its new version number; `fill` computes what SQL cannot.
struct Migration {
  const char* sql;
  bool (*fill)(Database& db);
};
constexpr Migration kMigrations[kSchemaVersion] = {
    {kTables, nullptr},
    {kLandmarks, nullptr},
    {kAttempts, nullptr},
    {kActsAndTerms, DescribeLetters},
    {kKin, nullptr},
};

Result<std::string> ReadKey(const HubOptions& options) {
  std::string path = options.key_file;
  if (path.empty()) {
    if (const char* from_env = std::getenv("WEIR_HUB_KEY_FILE")) {
      path = from_env;
    }
  }
  if (path.empty()) {
    return std::string();
  }
  std::ifstream in(path, std::ios::binary);
  std::string key((std::istreambuf_iterator<char>(in)), {});
  while (!key.empty() && (key.back() == '\n' || key.back() == '\r')) {
    key.pop_back();
  }
  if (!in || key.empty()) {
    return Error{"cannot read a key from `" + path + "`"};
  }
  return key;
}

bool IsRawKey(const std::string& key) {
  return key.size() == 64 && key.find_first_not_of("0123456789abcdefABCDEF") == key.npos;
}

Result<void> SetKey(Database* db, const std::string& key) {
  if (key.empty()) {
    return {};
  }
  db->Exec(
      "PRAGMA cipher_log_level=NONE");  // its lines would mix with ours; the caller gets an Error
  const std::string spelled = IsRawKey(key) ? "x'" + key + "'" : key;
  if (sqlite3_key(db->handle(), spelled.data(), static_cast<int>(spelled.size())) != SQLITE_OK ||
      db->Text("PRAGMA cipher_version").empty()) {
    return Error{"this build cannot encrypt a hub"};
  }
  db->Exec("PRAGMA cipher_page_size=8192");
  return {};
}

}  // namespace

Result<void> Migrate(Database* db, int64_t to) {
  db->Exec("BEGIN IMMEDIATE");
  int64_t version = db->Number("PRAGMA user_version", -1);
  if (version > kSchemaVersion) {
    db->Fail("the file was written by a newer weir");
  }
  if (version == 0 && db->Number("SELECT count(*) FROM sqlite_schema") != 0) {
    db->Fail("the file is a database, but not a hub");
  }
  for (; db->ok() && version < to; ++version) {
    const Migration& step = kMigrations[version];
    if (db->Exec(step.sql) && step.fill != nullptr) {
      step.fill(*db);
    }
  }
  db->Exec("PRAGMA user_version=" + std::to_string(version));
  db->Exec("COMMIT");
  return db->ok() ? Result<void>() : Result<void>(db->error());
}

Result<void> OpenStore(const HubOptions& options, WriterLock* lock, Database* db) {
  const auto key = ReadKey(options);
  if (!key) {
    return key.error();
  }
  const bool simulated = !options.vfs.empty();
  if (!options.read_only && !simulated) {
    if (auto taken = options.visit ? lock->Visit(options.path) : lock->Take(options.path); !taken) {
      return taken;
    }
    const int file = open(options.path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC,
                          0600);  // raw messages: nobody else reads them
    if (file < 0) {
      return Error{"cannot create `" + options.path + "`"};
    }
    close(file);
  }
  if (!options.read_only && !options.visit) {
    if (auto renewed = RenewLog(options.path, options.vfs); !renewed) {
      return renewed;
    }
  }
  // A reader of a WAL database needs write access to its -shm file, hence query_only instead of
  // OPEN_READONLY.
  const int create = simulated ? SQLITE_OPEN_CREATE : 0;  // else created above
  if (auto opened = db->Open(options.path, SQLITE_OPEN_READWRITE | create, options.vfs); !opened) {
    return opened;
  }
  if (auto keyed = SetKey(db, *key); !keyed) {
    return keyed;
  }
  db->Exec("PRAGMA page_size=8192; PRAGMA cache_size=-" + std::to_string(options.cache_kib));
  if (db->Exec("SELECT count(*) FROM sqlite_schema"); !db->ok()) {
    return Error{"cannot read the hub `" + options.path +
                 "`: it is no hub, or the key is not its key"};
  }
  if (options.read_only) {
    db->Exec("PRAGMA query_only=ON");
    if (db->Number("PRAGMA user_version") != kSchemaVersion) {
      return Error{"`" + options.path + "` is not a hub of this version"};
    }
    return {};
  }
  db->Exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY");
  if (!db->ok() || db->Text("PRAGMA journal_mode") != "wal" ||
      db->Number("PRAGMA synchronous") != 2) {
    return Error{"the file system of `" + options.path +
                 "` does not allow a durable hub (WAL, FULL)"};
  }
  return Migrate(db);
}

}  // namespace weir::hub
