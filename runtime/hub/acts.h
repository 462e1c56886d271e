// What people did to the hub and what they looked at: a chain of its own, since readers write it too, beside a node. Each act is one
// short transaction that reads the last link itself; nobody keeps it in memory.
#pragma once

#include <functional>
#include <string>

#include "runtime/hub/hash.h"
#include "runtime/hub/sqlite.h"

namespace weir::hub {

struct Act {
  int64_t seq = 0, at_us = 0;
  std::string who;    // the operating system's name of the user
  std::string what;   // "find", "dlq show", "replay", …
  std::string facts;  // JSON; no patient's value: ids are keyed hashes, search terms are not kept
};

Digest32 ActLink(const Digest32& before, const Act& act);
// Within the caller's transaction. `act.seq` and `act.who` are set here.
void AppendAct(Database& db, Act act);

}  // namespace weir::hub
