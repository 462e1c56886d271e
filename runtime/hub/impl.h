// The hub's parts, wired together. Private to runtime/hub.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "runtime/hub/aliases.h"
#include "runtime/hub/audit_trail.h"
#include "runtime/hub/claims.h"
#include "runtime/hub/counters.h"
#include "runtime/hub/egress.h"
#include "runtime/hub/hub.h"
#include "runtime/hub/letters.h"
#include "runtime/hub/names.h"
#include "runtime/hub/resources.h"
#include "runtime/hub/schema.h"
#include "runtime/hub/sqlite.h"
#include "runtime/hub/terms.h"

namespace weir::hub {

class Inbox;
class Outcomes;

struct Hub::Impl {
  WriterLock lock;
  Database db;
  bool read_only = false;
  int64_t seen_version = 0;     // of the file, when memory was read from it
  int64_t batch_first_msg = 0;  // of the last Apply
  Egress egress;
  std::map<int64_t, std::string> packages;  // of the archived kernels, by number
  std::optional<Kin::NamespaceKey> namespace_key;  // once bound; never stored
  // In order of construction: each needs those above.
  std::unique_ptr<Names> names;
  std::unique_ptr<Counters> counters;
  std::unique_ptr<Resources> resources;
  std::unique_ptr<Kin> kin;
  std::unique_ptr<Aliases> aliases;
  std::unique_ptr<Claims> claims;
  std::unique_ptr<AuditTrail> audit;
  std::unique_ptr<Terms> terms;
  std::unique_ptr<Letters> letters;
  std::unique_ptr<Outcomes> outcomes;
  std::unique_ptr<Inbox> inbox;

  Result<void> Start();   // after OpenStore
  Result<void> Reload();  // another process may have written: read anew what is kept in memory

  // Runs `write` in one transaction and saves positions and counters.
  Result<void> Transact(const std::function<void()>& write);

  // A short transaction that changes nothing of what a writer keeps in memory: acts and the search index. Readers may, beside a node.
  Result<void> WriteAside(const std::function<void()>& write);
  // The state of a living root as exports spell it, before it leaves; nothing: there is none.
  std::optional<std::string> CurrentState(const ResourceKey& root);

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
      const ResourceKey key{type, AsId(all.Bytes(0))};
      std::string state = all.String(1);
      aliases->ResolveReferences(&state);
      visit(name, key, state);
    }
  }
}

}  // namespace weir::hub
