// Merges. An alias is a contribution to the loser's own chain; the last one that no retract undoes
// is the loser's edge to its survivor. What is `within` a loser follows it: its edge goes to the id
// of the same thing within the survivor, unless it has one of its own. The root of an id is where
// its edges end; in a circle an edge that only follows gives way, then the one with the least order
// key. So the grouping is a function of the set of contributions, for earlier and later messages
// alike.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "runtime/hub/kin.h"
#include "runtime/hub/resources.h"

namespace weir::hub {

class Aliases {
 public:
  Aliases(Database& db, Names& names, Resources& resources, Kin& kin);

  bool Has(const ResourceKey& key) const { return said_.contains(key); }

  // The alias contributions or retracts of `key` changed: find its edge anew and move chains.
  // Returns the ids whose root is another one now.
  std::vector<ResourceKey> Touch(const ResourceKey& key, int64_t cause);
  // `child` is within `parent`; nothing when that is known.
  std::vector<ResourceKey> AddKin(const ResourceKey& parent, const Child& child, int64_t cause);

  ResourceKey Root(const ResourceKey& key) const { return Follow(key).root; }
  std::set<ResourceKey> Members(const ResourceKey& key) const;  // all that are merged with it, itself included
  std::string RootReference(std::string_view reference) const;  // "Patient/<hex>"
  // References to losers become references to their survivors, in place: equally long.
  void ResolveReferences(std::string* body) const;

  // Of verify: the faults of the edges that follow, by recomputing them as far as the hub can.
  std::vector<std::string> Check();

 private:
  struct Edge {
    ResourceKey survivor{};
    std::string ord{};  // of the alias; of one that follows, the greatest on its parent's way
    bool follows = false;
    bool operator==(const Edge&) const = default;
  };
  using MaybeEdge = std::optional<Edge>;
  struct Way {  // from an id to its root
    ResourceKey root{};
    std::string ord{};  // the greatest of its edges
    bool operator==(const Way&) const = default;
  };
  Way Follow(const ResourceKey& key) const;
  MaybeEdge FindEdge(const ResourceKey& key);
  MaybeEdge FollowingEdge(const ResourceKey& parent, const Way& way, const Child& child);
  void SetEdge(const ResourceKey& key, const MaybeEdge& edge, bool follows);
  void Save(const ResourceKey& key, const MaybeEdge& edge, bool follows);
  void AddComponent(const ResourceKey& start, std::set<ResourceKey>* members) const;
  void Regroup(std::set<ResourceKey> members, int64_t cause, std::vector<ResourceKey>* moved);
  using Change = std::map<ResourceKey, MaybeEdge>;
  // Gives these keys new edges, all said or all following, and moves chains; what is within them
  // follows.
  std::vector<ResourceKey> Settle(Change change, bool follows, int64_t cause);

  Names& names_;
  Resources& resources_;
  Kin& kin_;
  std::map<ResourceKey, MaybeEdge>
      said_;  // by loser; none: undone, kept, so that later retracts of this id are looked at
  std::map<ResourceKey, Edge> following_;  // by loser
  std::map<ResourceKey, Edge> edges_;      // in force: what is said, else what follows
  std::map<ResourceKey, std::set<ResourceKey>> losers_;  // by survivor, edges in force
  std::map<std::string, int64_t, std::less<>> types_;    // names of types with aliases
  Statement save_, save_following_, drop_following_;
};

}  // namespace weir::hub
