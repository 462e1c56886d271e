// Identity: a key that is not `within` its owner's (a visit number on its own) belongs to the owner
// of the least order key; a message that brings another owner is a transform/identity dead letter,
// unless a merge made the owners one. Late messages and merges can turn verdicts around, so they
// are decided again, in order-key order, until nothing changes.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "runtime/hub/aliases.h"
#include "runtime/hub/resources.h"

namespace weir::hub {

class Claims {
 public:
  Claims(Database& db, const Aliases& aliases);

  // `owner` is "Type/<hex>".
  void Add(const ResourceKey& key, std::string_view ord, int64_t msg, std::string_view owner);
  void Remove(int64_t msg);  // forgets its claims and queues who met them
  void OwnersMoved(
      const std::vector<std::string>& owners);  // merges changed what these references mean
  // Decides queued messages; `flip` is told each message whose verdict changed, least order key
  // first.
  void Settle(const std::function<void(int64_t msg, bool accepted)>& flip);

 private:
  using Entry = std::pair<std::string, int64_t>;  // order key, message
  struct Claim {
    int64_t type;
    std::string id, ord, owner;
  };
  std::vector<Claim> ClaimsOf(int64_t msg);
  void QueueFrom(int64_t type, std::string_view id, std::string_view ord);
  bool Acceptable(int64_t msg);

  Database& db_;
  const Aliases& aliases_;
  std::set<Entry> queue_;
  Statement add_, remove_, of_msg_, from_, holder_, of_owner_, accepted_;
};

}  // namespace weir::hub
