#include "runtime/hub/aliases.h"

#include <algorithm>

namespace weir::hub {

Aliases::Aliases(Database& db, Names& names, Resources& resources)
    : names_(names),
      resources_(resources),
      save_(db,
            "INSERT INTO alias VALUES(?,?,?,?) ON CONFLICT DO UPDATE SET "
            "survivor=excluded.survivor, ord=excluded.ord") {
  Statement all(db, "SELECT type, loser, survivor, ord FROM alias");
  for (bool row = all.First(); row; row = all.Next()) {
    ResourceKey loser{all.Int(0), {}};
    memcpy(loser.id.data(), all.Bytes(1).data(), std::min<size_t>(all.Bytes(1).size(), 16));
    Edge edge{.live = !all.IsNull(2), .survivor = {loser.type, {}}, .ord = all.String(3)};
    if (edge.live) {
      memcpy(edge.survivor.id.data(), all.Bytes(2).data(),
             std::min<size_t>(all.Bytes(2).size(), 16));
    }
    SetEdge(loser, edge);
  }
}

void Aliases::SetEdge(const ResourceKey& key, const Edge& edge) {
  Edge& old = edges_[key];
  if (old.live) {
    losers_[old.survivor].erase(key);
  }
  if (edge.live) {
    losers_[edge.survivor].insert(key);
  }
  old = edge;
  types_[names_.Text("type", key.type)] = key.type;
}

Aliases::Edge Aliases::FindEdge(const ResourceKey& key) {
  std::vector<weir_fold_item> items;
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
      return {.live = true, .survivor = {key.type, *nodes[i].other}, .ord = nodes[i].ord};
    }
  }
  return {};
}

ResourceKey Aliases::Root(const ResourceKey& key) const {
  std::vector<ResourceKey> path = {key};
  for (auto edge = edges_.find(key); edge != edges_.end() && edge->second.live;
       edge = edges_.find(path.back())) {
    const ResourceKey& next = edge->second.survivor;
    const auto circle = std::ranges::find(path, next);
    if (circle != path.end()) {  // whose edge gives way is the root
      return *std::ranges::min_element(
          circle, path.end(), [this](const ResourceKey& a, const ResourceKey& b) {
            return std::pair(edges_.at(a).ord, a) < std::pair(edges_.at(b).ord, b);
          });
    }
    path.push_back(next);
  }
  return path.back();
}

void Aliases::AddComponent(const ResourceKey& start, std::set<ResourceKey>* members) const {
  std::vector<ResourceKey> open = {start};
  while (!open.empty()) {
    const ResourceKey key = open.back();
    open.pop_back();
    if (!members->insert(key).second) {
      continue;
    }
    if (const auto edge = edges_.find(key); edge != edges_.end() && edge->second.live) {
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
  const Edge edge = FindEdge(key);
  std::set<ResourceKey> members;
  AddComponent(key, &members);
  SetEdge(key, edge);
  for (const ResourceKey& member :
       std::set(members)) {  // both halves of a component that fell apart, and what it joined
    members.erase(member);
    AddComponent(member, &members);
  }
  if (edge.live) {
    save_.Run(key.type, Blob{View(key.id)}, Blob{View(edge.survivor.id)}, Blob{edge.ord});
  } else {
    save_.Run(key.type, Blob{View(key.id)}, Null{}, Blob{edge.ord});
  }
  std::map<ResourceKey, ResourceKey> root_of;
  std::set<ResourceKey> old_roots;
  std::vector<ResourceKey> moved;
  for (const ResourceKey& member : members) {
    const ResourceKey old_root = resources_.Root(member), root = Root(member);
    old_roots.insert(old_root);
    root_of[member] = root;
    if (old_root != root) {
      moved.push_back(member);
    }
  }
  if (!moved.empty()) {
    resources_.Regroup({old_roots.begin(), old_roots.end()}, root_of, cause);
  }
  return moved;
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
