// Opening the file: key, pragmas, tables, migrations.
#pragma once

#include "runtime/hub/hub.h"
#include "runtime/hub/sqlite.h"
#include "runtime/hub/turn.h"

namespace weir::hub {

inline constexpr int64_t kSchemaVersion = 5;

// Brings a file, which may be new, to a version; all or nothing. Tests stop at older ones.
Result<void> Migrate(Database* db, int64_t to = kSchemaVersion);

Result<void> OpenStore(const HubOptions& options, WriterLock* lock, Database* db);

}  // namespace weir::hub
