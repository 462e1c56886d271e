#include "runtime/hub/aliases.h"

#include <algorithm>
#include <tuple>

namespace weir::hub {

Aliases::Aliases(Database& db, Names& names, Resources& resources, Kin& kin)
    : names_(names),
      resources_(resources),
      kin_(kin),
      save_(db,
            "INSERT INTO alias VALUES(?,?,?,?) ON CONFLICT DO UPDATE SET "
            "survivor=excluded.survivor, ord=excluded.ord"),
      save_following_(db,
                      "INSERT INTO following VALUES(?,?,?,?) ON CONFLICT DO UPDATE SET "
                      "survivor=excluded.survivor, ord=excluded.ord"),
      drop_following_(db, "DELETE FROM following WHERE type=? AND loser=?") {
  for (const bool follows : {false, true}) {
    Statement all(db, follows ? "SELECT type, loser, survivor, ord FROM following"
                              : "SELECT type, loser, survivor, ord FROM alias");
    for (bool row = all.First(); row; row = all.Next()) {
      const ResourceKey loser{all.Int(0), AsId(all.Bytes(1))};
      MaybeEdge edge;
      if (!all.IsNull(2)) {
        edge = {
            .survivor = {loser.type, AsId(all.Bytes(2))}, .ord = all.String(3), .follows = follows};
      }
      SetEdge(loser, edge, follows);
    }
  }
}

void Aliases::SetEdge(const ResourceKey& key, const MaybeEdge& edge, bool follows) {
  if (!follows) {
    said_[key] = edge;
  } else if (edge) {
    following_[key] = *edge;
  } else {
    following_.erase(key);
  }
  if (const auto old = edges_.find(key); old != edges_.end()) {
    losers_[old->second.survivor].erase(key);
    edges_.erase(old);
  }
  const auto said = said_.find(key);
  const auto after = following_.find(key);
  if (said != said_.end() && said->second) {
    edges_[key] = *said->second;
  } else if (after != following_.end()) {
    edges_[key] = after->second;
  } else {
    return;
  }
  losers_[edges_[key].survivor].insert(key);
  types_[names_.Text("type", key.type)] = key.type;
}

void Aliases::Save(const ResourceKey& key, const MaybeEdge& edge, bool follows) {
  if (edge) {
    (follows ? save_following_ : save_)
        .Run(key.type, Blob{View(key.id)}, Blob{View(edge->survivor.id)}, Blob{edge->ord});
  } else if (follows) {
    drop_following_.Run(key.type, Blob{View(key.id)});
  } else {
    save_.Run(key.type, Blob{View(key.id)}, Null{}, Blob{{}});
  }
}

Aliases::MaybeEdge Aliases::FindEdge(const ResourceKey& key) {
  std::vector<fold::Item> items;
  std::vector<Node> nodes = resources_.Chain(resources_.Root(key));
  std::erase_if(nodes, [&](const Node& node) { return node.key != key; });
  for (const Node& node : nodes) {
    items.push_back({static_cast<uint32_t>(node.op), static_cast<uint32_t>(node.map),
                     reinterpret_cast<const uint8_t*>(node.tag.data()), nullptr,
                     static_cast<uint32_t>(node.tag.size()), 0});
  }
  std::vector<uint8_t> undone(items.size());
  fold::MarkRetracted(items.data(), static_cast<uint32_t>(items.size()), undone.data());
  for (size_t i = nodes.size(); i-- > 0;) {
    if (nodes[i].op == WEIR_OP_ALIAS && !undone[i] && nodes[i].other && *nodes[i].other != key.id) {
      return Edge{.survivor = {key.type, *nodes[i].other}, .ord = nodes[i].ord};
    }
  }
  return std::nullopt;
}

Aliases::Way Aliases::Follow(const ResourceKey& key) const {
  std::vector<ResourceKey> path = {key};
  size_t steps = 0;  // from `key` to the root
  for (auto edge = edges_.find(key); edge != edges_.end(); edge = edges_.find(path.back())) {
    const ResourceKey& next = edge->second.survivor;
    const auto circle = std::ranges::find(path, next);
    if (circle != path.end()) {  // whose edge gives way is the root
      const auto root =
          std::ranges::min_element(circle, path.end(), {}, [this](const ResourceKey& at) {
            const Edge& out = edges_.at(at);
            return std::tuple(!out.follows, out.ord, at);
          });
      steps = static_cast<size_t>(root - path.begin());
      break;
    }
    path.push_back(next);
    steps = path.size() - 1;
  }
  Way way{.root = path[steps]};
  for (size_t i = 0; i < steps; ++i) {
    way.ord = std::max(way.ord, edges_.at(path[i]).ord);
  }
  return way;
}

void Aliases::AddComponent(const ResourceKey& start, std::set<ResourceKey>* members) const {
  std::vector<ResourceKey> open = {start};
  while (!open.empty()) {
    const ResourceKey key = open.back();
    open.pop_back();
    if (!members->insert(key).second) {
      continue;
    }
    if (const auto edge = edges_.find(key); edge != edges_.end()) {
      open.push_back(edge->second.survivor);
    }
    if (const auto losers = losers_.find(key); losers != losers_.end()) {
      open.insert(open.end(), losers->second.begin(), losers->second.end());
    }
  }
}

std::set<ResourceKey> Aliases::Members(const ResourceKey& key) const {
  std::set<ResourceKey> members;
  AddComponent(key, &members);
  return members;
}

std::vector<ResourceKey> Aliases::Touch(const ResourceKey& key, int64_t cause) {
  return Settle({{key, FindEdge(key)}}, /*follows=*/false, cause);
}

std::vector<ResourceKey> Aliases::AddKin(const ResourceKey& parent, const Child& child,
                                         int64_t cause) {
  if (!kin_.Add(parent, child)) {
    return {};
  }
  const MaybeEdge edge = FollowingEdge(parent, Follow(parent), child);
  return edge ? Settle({{child.key, edge}}, /*follows=*/true, cause) : std::vector<ResourceKey>();
}

Aliases::MaybeEdge Aliases::FollowingEdge(const ResourceKey& parent, const Way& way,
                                          const Child& child) {
  if (way.root == parent) {
    return std::nullopt;
  }
  return Edge{.survivor = {child.key.type, kin_.Within(way.root.id, child.own)},
              .ord = way.ord,
              .follows = true};
}

// Keys of one depth at a time: the root of a key depends on those of lesser depth only.
std::vector<ResourceKey> Aliases::Settle(Change change, bool follows, int64_t cause) {
  std::vector<ResourceKey> moved;
  while (!change.empty()) {
    std::set<ResourceKey> members;  // of all components that change, before and after
    for (const auto& [key, edge] : change) {
      AddComponent(key, &members);
      if (edge) {
        AddComponent(edge->survivor, &members);
      }
      if (const auto other = following_.find(key); other != following_.end()) {
        AddComponent(other->second.survivor, &members);  // in force when nothing is said any more
      }
    }
    std::map<ResourceKey, Way> before;
    for (const ResourceKey& member : members) {
      before[member] = Follow(member);
    }
    for (const auto& [key, edge] : change) {
      SetEdge(key, edge, follows);
      Save(key, edge, follows);
    }
    Regroup(members, cause, &moved);
    change.clear();
    for (const ResourceKey& member : members) {
      const Way way = Follow(member);
      if (way == before[member]) {
        continue;
      }
      for (const Child& child : kin_.ChildrenOf(member)) {
        const auto known = following_.find(child.key);
        const MaybeEdge edge = FollowingEdge(member, way, child);
        if (edge != (known == following_.end() ? std::nullopt : MaybeEdge(known->second))) {
          change[child.key] = edge;
        }
      }
    }
    follows = true;
  }
  return moved;
}

// One group of merged ids at a time: a patient's past may be long, and what is within it falls into
// many small groups.
void Aliases::Regroup(std::set<ResourceKey> members, int64_t cause,
                      std::vector<ResourceKey>* moved) {
  std::map<ResourceKey, std::vector<ResourceKey>> by_old_root;
  for (const ResourceKey& member : members) {
    by_old_root[resources_.Root(member)].push_back(member);
  }
  while (!members.empty()) {
    std::set<ResourceKey> group, old_roots;
    std::vector<ResourceKey> open = {*members.begin()};
    std::map<ResourceKey, ResourceKey> root_of;
    bool changed = false;
    while (!open.empty()) {
      const ResourceKey key = open.back();
      open.pop_back();
      if (!members.erase(key)) {
        continue;
      }
      const ResourceKey old_root = resources_.Root(key), root = Root(key);
      root_of[key] = root;
      AddComponent(key, &group);
      open.insert(open.end(), group.begin(), group.end());
      if (old_roots.insert(old_root).second) {
        open.insert(open.end(), by_old_root[old_root].begin(), by_old_root[old_root].end());
      }
      if (old_root != root) {
        moved->push_back(key);
        changed = true;
      }
    }
    if (changed) {
      resources_.Regroup({old_roots.begin(), old_roots.end()}, root_of, cause);
    }
  }
}

std::vector<std::string> Aliases::Check() {
  std::vector<std::string> faults;
  std::map<ResourceKey, Edge> expected;
  std::vector<ResourceKey> open;
  for (const auto& [key, edge] : edges_) {
    open.push_back(key);
  }
  for (const ResourceKey& parent : open) {
    const Way way = Follow(parent);
    for (const Child& child : way.root == parent ? std::vector<Child>() : kin_.ChildrenOf(parent)) {
      const auto known = following_.find(child.key);
      if (known == following_.end()) {
        faults.push_back("an id within a merged one does not follow it");
      } else if (kin_.CanDerive() &&
                 MaybeEdge(known->second) != FollowingEdge(parent, way, child)) {
        faults.push_back("an id within a merged one follows it elsewhere");
      } else {
        expected.insert(*known);
      }
    }
  }
  if (expected.size() != following_.size()) {
    faults.push_back(std::to_string(following_.size() - expected.size()) +
                     " ids follow what is not merged");
  }
  return faults;
}

std::string Aliases::RootReference(std::string_view reference) const {
  std::string text = "\"reference\":\"" + std::string(reference) + "\"";
  ResolveReferences(&text);
  return text.substr(13, reference.size());
}

void Aliases::ResolveReferences(std::string* body) const {
  if (edges_.empty()) {
    return;
  }
  constexpr std::string_view kStart = "\"reference\":\"";
  for (size_t at = body->find(kStart); at != std::string::npos; at = body->find(kStart, at)) {
    at += kStart.size();
    const size_t end = body->find('"', at);
    if (end == std::string::npos) {
      return;
    }
    const std::string_view reference = std::string_view(*body).substr(at, end - at);
    const size_t slash = reference.find('/');
    if (slash == std::string_view::npos) {
      continue;
    }
    const auto type = types_.find(reference.substr(0, slash));
    ResourceKey key;
    if (type == types_.end() || !Unhex(reference.substr(slash + 1), &key.id)) {
      continue;
    }
    key.type = type->second;
    const ResourceKey root = Root(key);
    if (root != key) {
      body->replace(at + slash + 1, 32, Hex(View(root.id)));
    }
  }
}

}  // namespace weir::hub
