// The hub's digest (design section 4): a hash over what the set of accepted messages means. No row
// numbers, arrival, numbers of names, audit or duplicates may enter it.
#include <algorithm>

#include "runtime/hub/impl.h"

namespace weir::hub {
namespace {

// Current rows and history: each resource's state after each of its messages, in order-key order.
void AddResources(Hub::Impl& hub, Hasher<32>* digest) {
  Statement roots(hub.db, "SELECT id FROM resource_current WHERE type=? AND head<>0 ORDER BY id");
  for (const auto& [name, type] : hub.TypesByName()) {
    std::vector<std::string> ids;
    for (bool row = roots.First(type); row; row = roots.Next()) {
      ids.push_back(roots.String(0));
    }
    for (const std::string& id : ids) {
      const ResourceKey root{type, AsId(id)};
      const std::vector<Node> nodes = hub.resources->Chain(root);
      for (size_t i = 0; i < nodes.size(); ++i) {
        if (i + 1 < nodes.size() && nodes[i + 1].msg == nodes[i].msg) {
          continue;  // one state per message
        }
        std::string state = nodes[i].State();
        hub.aliases->ResolveReferences(&state);
        digest->Add("history").Add(name).Add(id).Add(nodes[i].ord).Add(View(HashRaw(state)));
        if (i + 1 == nodes.size() && !state.empty()) {
          digest->Add("current").Add(name).Add(id);
        }
      }
    }
  }
}

}  // namespace

Result<std::string> Hub::Digest() {
  impl_->db.Exec("BEGIN");  // one snapshot
  Hasher<32> digest;
  digest.Add("weir hub digest 1");
  AddResources(*impl_, &digest);
  {
    Statement letters(
        impl_->db,
        "SELECT content, class, code, path FROM dead_letter ORDER BY content, class, code, path");
    for (bool row = letters.First(); row; row = letters.Next()) {
      digest.Add("dead")
          .Add(letters.Bytes(0))
          .Add(letters.Bytes(1))
          .Add(letters.Bytes(2))
          .Add(letters.Bytes(3));
    }
    Statement events(impl_->db, "SELECT event_id FROM outbox ORDER BY event_id");
    for (bool row = events.First(); row; row = events.Next()) {
      digest.Add("outbox").Add(events.Bytes(0));
    }
  }
  impl_->db.Exec("COMMIT");
  if (!impl_->db.ok()) {
    return impl_->db.error();
  }
  return Hex(View(digest.Finish()));
}

}  // namespace weir::hub
