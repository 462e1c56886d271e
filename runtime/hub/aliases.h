// Merges. An alias is a contribution to the loser's own chain; the last one that no retract undoes
// is the loser's edge to its survivor. The root of an id is where its edges end; in a circle the
// edge with the least order key gives way. So the grouping is a function of the set of
// contributions, for earlier and later messages alike.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "runtime/hub/resources.h"

namespace weir::hub {

class Aliases {
 public:
  Aliases(Database& db, Names& names, Resources& resources);

  bool Has(const ResourceKey& key) const { return edges_.contains(key); }
  bool Any() const { return !edges_.empty(); }
  // The alias contributions or retracts of `key` changed: find its edge anew and move chains.
  // Returns the ids whose root is another one now.
  std::vector<ResourceKey> Touch(const ResourceKey& key, int64_t cause);

  ResourceKey Root(const ResourceKey& key) const;
  std::set<ResourceKey> Members(const ResourceKey& key) const;  // all that are merged with it, itself included
  std::string RootReference(std::string_view reference) const;  // "Patient/<hex>"
  // References to losers become references to their survivors, in place: equally long.
  void ResolveReferences(std::string* body) const;
  const Resources& resources() const { return resources_; }

 private:
  struct Edge {
    bool live =
        false;  // false: undone; kept, so that later retracts and aliases of this id are looked at
    ResourceKey survivor;
    std::string ord;
  };
  Edge FindEdge(const ResourceKey& key);
  void SetEdge(const ResourceKey& key, const Edge& edge);
  void AddComponent(const ResourceKey& start, std::set<ResourceKey>* members) const;

  Names& names_;
  Resources& resources_;
  std::map<ResourceKey, Edge> edges_;                    // by loser
  std::map<ResourceKey, std::set<ResourceKey>> losers_;  // by survivor, live edges only
  std::map<std::string, int64_t, std::less<>> types_;    // names of types with aliases
  Statement save_;
};

}  // namespace weir::hub
