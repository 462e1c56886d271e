#include "runtime/hub/claims.h"

namespace weir::hub {

Claims::Claims(Database& db, const Aliases& aliases)
    : db_(db),
      aliases_(aliases),
      add_(db, "INSERT INTO claim VALUES(?,?,?,?,?) ON CONFLICT DO NOTHING"),
      remove_(db, "DELETE FROM claim WHERE msg=?"),
      of_msg_(db, "SELECT type, id, ord, owner FROM claim WHERE msg=?"),
      from_(db, "SELECT ord, msg FROM claim WHERE type=? AND id=? AND ord>=?"),
      holder_(db,
              "SELECT c.owner FROM claim c JOIN inbox i ON i.msg=c.msg WHERE c.type=? AND c.id=? "
              "AND (c.ord, c.msg) < (?, ?) "
              "AND i.status=0 ORDER BY c.ord, c.msg LIMIT 1"),
      of_owner_(db, "SELECT DISTINCT type, id FROM claim WHERE owner=?"),
      accepted_(db, "SELECT status=0 FROM inbox WHERE msg=?") {}

void Claims::Add(const ResourceKey& key, std::string_view ord, int64_t msg,
                 std::string_view owner) {
  add_.Run(key.type, Blob{View(key.id)}, Blob{ord}, msg, owner);
  QueueFrom(key.type, View(key.id), ord);
}

std::vector<Claims::Claim> Claims::ClaimsOf(int64_t msg) {
  std::vector<Claim> claims;
  for (bool row = of_msg_.First(msg); row; row = of_msg_.Next()) {
    claims.push_back({of_msg_.Int(0), of_msg_.String(1), of_msg_.String(2), of_msg_.String(3)});
  }
  return claims;
}

void Claims::QueueFrom(int64_t type, std::string_view id, std::string_view ord) {
  for (bool row = from_.First(type, Blob{id}, Blob{ord}); row; row = from_.Next()) {
    queue_.insert({from_.String(0), from_.Int(1)});
  }
}

void Claims::Remove(int64_t msg) {
  const std::vector<Claim> claims = ClaimsOf(msg);
  remove_.Run(msg);
  for (const Claim& claim : claims) {
    queue_.erase({claim.ord, msg});
    QueueFrom(claim.type, claim.id, claim.ord);
  }
}

void Claims::OwnersMoved(const std::vector<std::string>& owners) {
  std::vector<std::pair<int64_t, std::string>> keys;
  for (const std::string& owner : owners) {
    for (bool row = of_owner_.First(std::string_view(owner)); row; row = of_owner_.Next()) {
      keys.emplace_back(of_owner_.Int(0), of_owner_.String(1));
    }
  }
  for (const auto& [type, id] : keys) {
    QueueFrom(type, id, {});
  }
}

bool Claims::Acceptable(int64_t msg) {
  for (const Claim& claim : ClaimsOf(msg)) {
    const bool held = holder_.First(claim.type, Blob{claim.id}, Blob{claim.ord}, msg);
    const std::string holder = held ? holder_.String(0) : claim.owner;
    holder_.Reset();
    if (aliases_.RootReference(holder) != aliases_.RootReference(claim.owner)) {
      return false;
    }
  }
  return true;
}

void Claims::Settle(const std::function<void(int64_t, bool)>& flip) {
  while (!queue_.empty() && db_.ok()) {
    const int64_t msg = queue_.begin()->second;
    queue_.erase(queue_.begin());
    const bool before = accepted_.First(msg) && accepted_.Int(0) != 0;
    accepted_.Reset();
    const bool accepted = Acceptable(msg);
    if (accepted == before) {
      continue;
    }
    flip(msg, accepted);
    for (const Claim& claim : ClaimsOf(msg)) {
      // Only later ones: an earlier verdict does not depend on this message.
      for (bool row = from_.First(claim.type, Blob{claim.id}, Blob{claim.ord}); row;
           row = from_.Next()) {
        if (Entry entry{from_.String(0), from_.Int(1)}; entry > Entry{claim.ord, msg}) {
          queue_.insert(std::move(entry));
        }
      }
    }
  }
}

}  // namespace weir::hub
