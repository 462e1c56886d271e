// The hub's parts, wired together. Private to runtime/hub.
#pragma once

#include <memory>
#include <set>

#include "runtime/hub/aliases.h"
#include "runtime/hub/claims.h"
#include "runtime/hub/counters.h"
#include "runtime/hub/hub.h"
#include "runtime/hub/names.h"
#include "runtime/hub/resources.h"
#include "runtime/hub/schema.h"
#include "runtime/hub/sqlite.h"

namespace weir::hub {

// Of audit.event; numbers are stored.
enum class AuditEvent : int64_t { kReceived = 0, kReplaced = 1, kRefused = 2, kAccepted = 3 };

class Inbox;

struct Hub::Impl {
  WriterLock lock;
  Database db;
  bool read_only = false;
  int64_t batch_first_msg = 0;  // of the last Apply
  // In order of construction: each needs those above.
  std::unique_ptr<Names> names;
  std::unique_ptr<Counters> counters;
  std::unique_ptr<Resources> resources;
  std::unique_ptr<Aliases> aliases;
  std::unique_ptr<Claims> claims;
  std::unique_ptr<Inbox> inbox;

  Result<void> Start();  // after OpenStore

  // Calls `visit(type name, root, state)` for every living resource, in type name and id order.
  template <typename Visit>
  void EachCurrent(std::string_view only_type, Visit visit);
  // Types in name order with their numbers.
  std::vector<std::pair<std::string, int64_t>> TypesByName() const;
};

template <typename Visit>
void Hub::Impl::EachCurrent(std::string_view only_type, Visit visit) {
  Statement all(db,
                "SELECT c.id, coalesce(r.folded, r.body) FROM resource_current c JOIN contribution "
                "r ON r.row=c.head "
                "WHERE c.type=? AND c.head<>0 ORDER BY c.id");
  for (const auto& [name, type] : TypesByName()) {
    if (!only_type.empty() && name != only_type) {
      continue;
    }
    for (bool row = all.First(type); row; row = all.Next()) {
      if (all.Bytes(1).empty()) {
        continue;  // gone
      }
      ResourceKey key{type, {}};
      memcpy(key.id.data(), all.Bytes(0).data(), std::min<size_t>(16, all.Bytes(0).size()));
      std::string state = all.String(1);
      aliases->ResolveReferences(&state);
      visit(name, key, state);
    }
  }
}

}  // namespace weir::hub
