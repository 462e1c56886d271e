// Opening the file: key, pragmas, tables, migrations.
#pragma once

#include "runtime/hub/hub.h"
#include "runtime/hub/sqlite.h"
#include "runtime/hub/turn.h"

namespace weir::hub {

inline constexpr int64_t kSchemaVersion = 4;

Result<void> OpenStore(const HubOptions& options, WriterLock* lock, Database* db);

}  // namespace weir::hub
