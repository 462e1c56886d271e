// Older files: every version is brought to the newest, all or nothing.
#include "runtime/hub/schema.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/runtime/hub/fake_feed.h"

namespace weir::hub::testing {
namespace {

int64_t VersionOf(const std::string& path) {
  Database db;
  EXPECT_TRUE(db.Open(path, SQLITE_OPEN_READWRITE));
  return db.Number("PRAGMA user_version");
}

void MakeVersion(const std::string& path, int64_t version) {
  Database db;
  ASSERT_TRUE(db.Open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE));
  db.Exec("PRAGMA journal_mode=WAL");
  ASSERT_TRUE(Migrate(&db, version));
}

TEST(Schema, EveryOlderVersionIsBroughtToThisOne) {
  for (int64_t version = 1; version <= kSchemaVersion; ++version) {
    const HubFile file;
    MakeVersion(file.path(), version);
    ASSERT_EQ(VersionOf(file.path()), version);
    const auto hub = file.Open();
    ASSERT_NE(hub, nullptr);
    EXPECT_EQ(VersionOf(file.path()), kSchemaVersion);
    ApplyAll(*hub, RandomFamilies(1, 20));
    EXPECT_TRUE(hub->Verify()->faults.empty()) << version;
  }
}

TEST(Schema, ANewerFileIsRefusedAndAnOlderOneIsNotReadAsIfItWereNew) {
  const HubFile newer, older;
  MakeVersion(newer.path(), kSchemaVersion);
  {
    Database db;
    ASSERT_TRUE(db.Open(newer.path(), SQLITE_OPEN_READWRITE));
    db.Exec("PRAGMA user_version=" + std::to_string(kSchemaVersion + 1));
  }
  EXPECT_FALSE(Hub::Open({.path = newer.path(), .key_file = {}}));
  MakeVersion(older.path(), kSchemaVersion - 1);
  EXPECT_FALSE(Hub::Open({.path = older.path(), .key_file = {}, .read_only = true}));
}

// Killed before its COMMIT, a migration leaves the old file; the next opening brings it up.
TEST(Schema, AMigrationThatDiesLeavesTheOldVersion) {
  const HubFile file;
  MakeVersion(file.path(), 1);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    Database db;
    if (db.Open(file.path(), SQLITE_OPEN_READWRITE)) {
      db.Exec("PRAGMA cache_spill=1; PRAGMA cache_size=1");
      sqlite3_commit_hook(
          db.handle(), [](void*) { return raise(SIGKILL); }, nullptr);
      (void)Migrate(&db);
    }
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(VersionOf(file.path()), 1);
  ASSERT_NE(file.Open(), nullptr);
  EXPECT_EQ(VersionOf(file.path()), kSchemaVersion);
}

}  // namespace
}  // namespace weir::hub::testing
