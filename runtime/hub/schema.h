// Opening the file: key, pragmas, tables, migrations, the writer's lock.
#pragma once

#include "runtime/hub/hub.h"
#include "runtime/hub/sqlite.h"

namespace weir::hub {

inline constexpr int64_t kSchemaVersion = 2;

// Held by the one writer for as long as it lives.
class WriterLock {
 public:
  WriterLock() = default;
  ~WriterLock();
  WriterLock(const WriterLock&) = delete;
  WriterLock& operator=(const WriterLock&) = delete;
  Result<void> Take(const std::string& hub_path);

 private:
  int file_ = -1;
};

Result<void> OpenStore(const HubOptions& options, WriterLock* lock, Database* db);

}  // namespace weir::hub
