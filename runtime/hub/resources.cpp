#include "runtime/hub/resources.h"

#include <algorithm>
#include <set>

namespace weir::hub {
namespace {

fold::Item Item(uint32_t op, int64_t map, std::string_view tag, std::string_view body) {
  return {op,
          static_cast<uint32_t>(map),
          reinterpret_cast<const uint8_t*>(tag.data()),
          reinterpret_cast<const uint8_t*>(body.data()),
          static_cast<uint32_t>(tag.size()),
          static_cast<uint32_t>(body.size())};
}
fold::Item Item(const Node& node) {
  return Item(static_cast<uint32_t>(node.op), node.map, node.tag, node.body);
}

bool WritesBody(int64_t op) {
  return op == WEIR_OP_PUT || op == WEIR_OP_PATCH || op == WEIR_OP_FILL;
}

constexpr int64_t kLandmarkEvery = 64;

bool FoldsOntoState(int64_t op) { return op == WEIR_OP_PUT || op == WEIR_OP_PATCH; }

}  // namespace

Resources::Resources(Database& db, Names& names)
    : db_(db),
      names_(names),
      next_row_(db.Number("SELECT max(row) FROM contribution") + 1),
      find_(db, "SELECT head, version, survivor FROM resource_current WHERE type=? AND id=?"),
      head_state_(db, "SELECT msg, ord, coalesce(folded, body) FROM contribution WHERE row=?"),
      load_(db,
            "SELECT msg, op, map, prev, type, id, other, ord, tag, body, folded FROM contribution "
            "WHERE row=?"),
      insert_(db, "INSERT INTO contribution VALUES(?,?,?,?,?,?,?,?,?,?,?,?)"),
      relink_(db, "UPDATE contribution SET prev=?, folded=? WHERE row=?"),
      insert_head_(db, "INSERT INTO resource_current VALUES(?,?,?,1,NULL)"),
      append_head_(db,
                   "UPDATE resource_current SET head=?, version=version+1 WHERE type=? AND id=?"),
      set_head_(db,
                "INSERT INTO resource_current VALUES(?,?,?,1,NULL) ON CONFLICT DO UPDATE SET "
                "head=excluded.head, "
                "version=version+1, survivor=NULL"),
      survivor_(db,
                "INSERT INTO resource_current VALUES(?,?,0,1,?) ON CONFLICT DO UPDATE SET head=0, "
                "version=version+1, "
                "survivor=excluded.survivor"),
      superseded_(db, "INSERT INTO superseded(row, cause, folded) VALUES(?,?,?)"),
      landmark_(db, "SELECT row FROM landmark WHERE type=? AND id=? AND ord>? ORDER BY ord LIMIT 1"),
      add_landmark_(db, "INSERT OR IGNORE INTO landmark VALUES(?,?,?,?)"),
      drop_landmarks_(db, "DELETE FROM landmark WHERE type=? AND id=?"),
      raw_digest_(db, "SELECT digest FROM inbox WHERE msg=?") {
  buffer_.resize(64 << 10);
}

Resources::Head Resources::Find(const ResourceKey& key) {
  Head head{.root = key};
  for (int step = 0; step < 2; ++step) {  // a survivor is always a root
    if (!find_.First(head.root.type, Blob{View(head.root.id)})) {
      return head;
    }
    if (find_.IsNull(2)) {
      break;
    }
    head.root.id = AsId(find_.Bytes(2));
    find_.Reset();
  }
  head.known = true;
  head.head = find_.Int(0);
  head.version = find_.Int(1);
  find_.Reset();
  return head;
}

ResourceKey Resources::Root(const ResourceKey& key) { return Find(key).root; }

bool Resources::Load(int64_t row, Node* node) {
  if (!load_.First(row)) {
    db_.Fail("a chain names a contribution that is not there");
    return false;
  }
  node->row = row;
  node->msg = load_.Int(0);
  node->op = load_.Int(1);
  node->map = load_.Int(2);
  node->prev = load_.Int(3);
  node->key = {load_.Int(4), AsId(load_.Bytes(5))};
  if (!load_.IsNull(6)) {
    node->other = AsId(load_.Bytes(6));
  }
  node->ord = load_.String(7);
  node->tag = load_.String(8);
  node->body = load_.String(9);
  node->folded = load_.IsNull(10) ? std::nullopt : std::optional(load_.String(10));
  load_.Reset();
  return true;
}

std::vector<Node> Resources::Chain(const ResourceKey& root) {
  std::vector<Node> nodes;
  for (int64_t row = Find(root).head; row != 0 && db_.ok(); row = nodes.back().prev) {
    if (nodes.size() >= static_cast<size_t>(next_row_)) {  // more links than rows
      db_.Fail("a chain of contributions is a circle");
      break;
    }
    if (!Load(row, &nodes.emplace_back())) {
      nodes.pop_back();
    }
  }
  std::ranges::reverse(nodes);
  return nodes;
}

std::vector<Node> Resources::RowsOf(int64_t first_row, int64_t count) {
  std::vector<Node> nodes(static_cast<size_t>(count));
  for (int64_t i = 0; i < count && db_.ok(); ++i) {
    Load(first_row + i, &nodes[static_cast<size_t>(i)]);
  }
  return nodes;
}

std::string_view Resources::RawDigest(int64_t msg, std::string* buffer) {
  if (raw_digest_.First(msg)) {
    *buffer = raw_digest_.String(0);
  }
  raw_digest_.Reset();
  return *buffer;
}

// Total: equal order keys of two messages fall back to their raw bytes, rows of one message to
// their place in it.
bool Resources::Precedes(const Node& a, const Node& b) {
  if (const int order = a.ord.compare(b.ord); order != 0) {
    return order < 0;
  }
  if (a.msg == b.msg) {
    return a.row < b.row;
  }
  std::string raw_a, raw_b;
  return RawDigest(a.msg, &raw_a) < RawDigest(b.msg, &raw_b);
}

std::string Resources::FoldItems(const ResourceKey& root, const std::vector<fold::Item>& items) {
  if (marks_.size() < items.size()) {
    marks_.resize(2 * items.size());
  }
  const std::string id = Hex(View(root.id));
  while (true) {
    const fold::FoldResult result =
        fold::Fold(orders_[root.type].table(), items.data(), static_cast<uint32_t>(items.size()),
                   id, marks_.data(), buffer_.data(), static_cast<uint32_t>(buffer_.size()));
    if (result.status == fold::FoldStatus::kFull && buffer_.size() < (1u << 30)) {
      buffer_.resize(2 * buffer_.size());
      continue;
    }
    if (result.status != fold::FoldStatus::kOk) {
      db_.Fail("a contribution's body cannot be folded");
      return {};
    }
    return {reinterpret_cast<const char*>(buffer_.data()), result.size};
  }
}

std::string Resources::FoldPrefix(const ResourceKey& root, const std::vector<Node>& nodes,
                                  size_t count) {
  std::vector<fold::Item> items;
  items.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    items.push_back(Item(nodes[i]));
  }
  return FoldItems(root, items);
}

void Resources::Write(const Node& node) {
  const std::optional<Blob> folded = node.folded ? std::optional(Blob{*node.folded}) : std::nullopt;
  if (node.stored) {
    relink_.Run(node.prev, folded, node.row);
    return;
  }
  const std::optional<Blob> other =
      node.other ? std::optional(Blob{View(*node.other)}) : std::nullopt;
  insert_.Run(node.row, node.msg, node.key.type, Blob{View(node.key.id)}, node.op, node.map,
              node.prev, Blob{node.ord}, std::string_view(node.tag), other, Blob{node.body},
              folded);
}

void Resources::Add(Node&& node) {
  node.row = next_row_++;
  node.stored = false;
  const Head head = Find(node.key);
  if (!AppendFast(head, &node)) {
    const int64_t cause = node.msg;
    Insert(head, std::move(node), cause);
  }
}

// The common cases without loading the chain: the first row of a resource, or a newer put or patch
// onto one that is there (fold.h: a patch folds onto the folded prefix).
bool Resources::AppendFast(const Head& head, Node* node) {
  if (head.head == 0) {
    const auto* body = reinterpret_cast<const uint8_t*>(node->body.data());
    const bool own = head.root == node->key;
    if (!own || !WritesBody(node->op) ||
        !fold::IsPlain(body, static_cast<uint32_t>(node->body.size()))) {
      node->folded = FoldItems(head.root, {Item(*node)});
    }
  } else {
    if (node->op != WEIR_OP_PUT && node->op != WEIR_OP_PATCH) {
      return false;
    }
    if (!head_state_.First(head.head)) {
      return false;
    }
    const std::string_view ord = head_state_.Bytes(1), state = head_state_.Bytes(2);
    const bool newer = ord < node->ord || (ord == node->ord && head_state_.Int(0) == node->msg);
    const bool fast = newer && !state.empty();
    if (fast) {
      node->folded = FoldItems(head.root, {Item(WEIR_OP_PATCH, 0, {}, state), Item(*node)});
    }
    head_state_.Reset();
    if (!fast) {
      return false;
    }
    if (*node->folded == node->body) {
      node->folded.reset();
    }
  }
  node->prev = head.head;
  Write(*node);
  if (head.version > 0 && head.version % kLandmarkEvery == 0 && head.head != 0) {
    add_landmark_.Run(head.root.type, Blob{View(head.root.id)}, Blob{node->ord}, node->row);
  }
  if (head.known) {
    append_head_.Run(node->row, head.root.type, Blob{View(head.root.id)});
  } else {
    insert_head_.Run(node->key.type, Blob{View(node->key.id)}, node->row);
  }
  return true;
}

void Resources::Insert(const Head& head, Node&& node, int64_t cause) {
  if (InsertLate(head, &node, cause)) {
    return;
  }
  std::vector<Node> nodes = Chain(head.root);
  const auto at = std::ranges::upper_bound(
      nodes, node, [this](const Node& a, const Node& b) { return Precedes(a, b); });
  const auto from = static_cast<size_t>(at - nodes.begin());
  nodes.insert(at, std::move(node));
  Rebuild(head.root, nodes, from, cause);
}

// The nodes after `row` (0: the chain's first), the last of them the nearest landmark later than `ord` or the head. Stops, when
// `late` is given, at the node that it follows, which is then the first. Empty: a node among them needs the whole chain.
std::vector<Node> Resources::Stretch(const Head& head, std::string_view ord, int64_t row, const Node* late) {
  int64_t at = head.head;
  if (landmark_.First(head.root.type, Blob{View(head.root.id)}, Blob{ord})) {
    at = landmark_.Int(0);
  }
  landmark_.Reset();
  std::vector<Node> nodes;
  for (; at != 0 && db_.ok(); at = nodes.back().prev) {
    if (nodes.size() >= static_cast<size_t>(next_row_) || !Load(at, &nodes.emplace_back())) {
      return {};  // the long way says what is wrong
    }
    const bool first = late != nullptr ? !Precedes(*late, nodes.back()) : at == row;
    if (first ? nodes.back().State().empty() : !FoldsOntoState(nodes.back().op)) {
      return {};
    }
    if (first) {
      break;
    }
    if (nodes.size() % kLandmarkEvery == 0) {
      add_landmark_.Run(head.root.type, Blob{View(head.root.id)}, Blob{nodes.back().ord}, at);
    }
  }
  std::ranges::reverse(nodes);
  return nodes;
}

// A late put or patch among puts and patches: only what lies around its place is looked at, so that a resource with a long
// history takes it as quickly as one with a short one.
bool Resources::InsertLate(const Head& head, Node* node, int64_t cause) {
  if (head.head == 0 || !FoldsOntoState(node->op)) {
    return false;
  }
  std::vector<Node> nodes = Stretch(head, node->ord, 0, node);
  if (nodes.empty()) {
    return false;
  }
  const int64_t row = node->row;
  size_t at = Precedes(*node, nodes.front()) ? 0 : 1;
  int64_t newest = head.head;
  if (at == nodes.size() && nodes.back().row == head.head) {
    newest = row;
  }
  nodes.insert(nodes.begin() + static_cast<std::ptrdiff_t>(at), std::move(*node));
  Refolded done = Refold(head.root, nodes, at, at, cause, /*whole=*/false);
  while (done == Refolded::kReachedEnd && nodes.back().row != newest) {
    const Node last = nodes.back();
    nodes = Stretch(head, last.ord, last.row, nullptr);
    done = nodes.empty() ? Refolded::kNeedsWhole : Refold(head.root, nodes, 1, 0, cause, /*whole=*/false);
  }
  if (done != Refolded::kNeedsWhole) {
    set_head_.Run(head.root.type, Blob{View(head.root.id)}, newest);
    return true;
  }
  // All states up to a point are right. The chain from the head may not reach the new row yet.
  std::vector<Node> chain = Chain(head.root);
  Node late;
  if (std::ranges::find(chain, row, &Node::row) == chain.end() && Load(row, &late)) {
    chain.insert(std::ranges::upper_bound(chain, late, [this](const Node& a, const Node& b) { return Precedes(a, b); }), late);
  }
  const auto place = static_cast<size_t>(std::ranges::find(chain, row, &Node::row) - chain.begin());
  Rebuild(head.root, chain, place, cause);
  return true;
}

void Resources::Link(const std::vector<int64_t>& rows, int64_t cause) {
  for (const int64_t row : rows) {
    Node node;
    if (!Load(row, &node)) {
      return;
    }
    node.prev = -1;  // written in any case
    Insert(Find(node.key), std::move(node), cause);
  }
}

void Resources::Unlink(const std::vector<int64_t>& rows, int64_t cause) {
  std::set<ResourceKey> roots;
  for (const int64_t row : rows) {
    Node node;
    if (!Load(row, &node)) {
      return;
    }
    roots.insert(Root(node.key));
  }
  for (const ResourceKey& root : roots) {
    std::vector<Node> nodes = Chain(root), kept;
    size_t from = nodes.size();
    for (size_t i = 0; i < nodes.size(); ++i) {
      if (std::ranges::find(rows, nodes[i].row) == rows.end()) {
        kept.push_back(std::move(nodes[i]));
      } else {
        from = std::min(from, i);
      }
    }
    Rebuild(root, kept, from, cause);
  }
}

Resources::Refolded Resources::Refold(const ResourceKey& root, std::vector<Node>& nodes, size_t from, size_t last, int64_t cause,
                                      bool whole) {
  size_t settled = last + 1;  // from here on a state depends on the one before it alone
  for (size_t i = settled; i < nodes.size(); ++i) {
    settled = FoldsOntoState(nodes[i].op) ? settled : i + 1;
  }
  for (size_t i = from; i < nodes.size() && db_.ok(); ++i) {
    Node& node = nodes[i];
    std::string state;
    if (node.op == WEIR_OP_PUT || i == 0) {
      state = FoldItems(root, {Item(node)});
    } else if (node.op == WEIR_OP_ALIAS) {
      state = nodes[i - 1].State();
    } else if (node.op == WEIR_OP_PATCH && !nodes[i - 1].State().empty()) {
      state = FoldItems(root, {Item(WEIR_OP_PATCH, 0, {}, nodes[i - 1].State()), Item(node)});
    } else if (!whole) {
      return Refolded::kNeedsWhole;
    } else {
      state = FoldPrefix(root, nodes, i + 1);
    }
    const int64_t prev = i == 0 ? 0 : nodes[i - 1].row;
    const bool same_state = node.stored && node.State() == state;
    if (same_state && node.prev == prev) {
      if (i >= settled && !state.empty()) {
        return Refolded::kSettled;  // and so is everything after it
      }
      continue;
    }
    if (!same_state) {
      if (node.stored && node.prev >= 0) {
        superseded_.Run(node.row, cause, Blob{node.State()});
      }
      node.folded = state == node.body ? std::nullopt : std::optional(std::move(state));
    }
    node.prev = prev;
    Write(node);
    node.stored = true;
  }
  return Refolded::kReachedEnd;
}

void Resources::Rebuild(const ResourceKey& root, std::vector<Node>& nodes, size_t from, int64_t cause) {
  drop_landmarks_.Run(root.type, Blob{View(root.id)});
  Refold(root, nodes, from, nodes.size(), cause, /*whole=*/true);
  set_head_.Run(root.type, Blob{View(root.id)}, nodes.empty() ? int64_t{0} : nodes.back().row);
}

void Resources::Regroup(const std::vector<ResourceKey>& old_roots,
                        const std::map<ResourceKey, ResourceKey>& root_of, int64_t cause) {
  std::map<ResourceKey, std::vector<Node>> chains;
  for (const auto& [key, root] : root_of) {
    chains[root];
  }
  for (const ResourceKey& old_root : old_roots) {
    drop_landmarks_.Run(old_root.type, Blob{View(old_root.id)});
    for (Node& node : Chain(old_root)) {
      const auto root = root_of.find(node.key);
      chains[root == root_of.end() ? old_root : root->second].push_back(std::move(node));
    }
  }
  for (auto& [root, nodes] : chains) {
    std::ranges::sort(nodes, [this](const Node& a, const Node& b) { return Precedes(a, b); });
    Rebuild(root, nodes, 0, cause);
  }
  for (const auto& [key, root] : root_of) {
    if (key != root) {
      survivor_.Run(key.type, Blob{View(key.id)}, Blob{View(root.id)});
    }
  }
}

}  // namespace weir::hub
