// SQLite over the simulated disk: a sqlite3_vfs with a name of its own, so that the hub's store runs on it unchanged.
#pragma once

#include <sqlite3.h>

#include <string>

#include "tests/sim/disk.h"

namespace weir::sim {

class Vfs {
 public:
  Vfs(Disk& disk, World& world);
  ~Vfs();  // no database is open on it
  Vfs(const Vfs&) = delete;
  Vfs& operator=(const Vfs&) = delete;

  const std::string& name() const { return name_; }

 private:
  struct Methods;  // of sqlite3_vfs

  Disk& disk_;
  World& world_;
  std::string name_;
  sqlite3_vfs vfs_{};
};

}  // namespace weir::sim
