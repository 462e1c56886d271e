// Contributions and what they fold to. Every resource is a chain of contribution rows in order-key
// order, linked from the newest to the oldest, and every row keeps the state after it (`folded`;
// NULL when that is the row's own body, so that a body is stored once). A newer contribution
// appends in constant time; a late one re-folds what comes after it; after a merge one chain holds
// the rows of all merged ids.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/fold/fold.h"
#include "runtime/hub/hash.h"
#include "runtime/hub/names.h"
#include "runtime/hub/sqlite.h"

namespace weir::hub {

struct ResourceKey {
  int64_t type = 0;
  Digest16 id{};
  auto operator<=>(const ResourceKey&) const = default;
};

// One row of `contribution`.
struct Node {
  int64_t row = 0, msg = 0, op = 0, map = 0, prev = 0;
  ResourceKey key{};  // its own id, whatever it was merged into
  std::optional<Digest16> other{};
  std::string ord{}, tag{}, body{};
  std::optional<std::string> folded{};
  bool stored = true;  // false: a new row, not yet in the table

  const std::string& State() const { return folded ? *folded : body; }
};

class Resources {
 public:
  Resources(Database& db, Names& names);

  void SetOrder(int64_t type, const fold::ElementOrder& order) { orders_[type] = order; }

  int64_t next_row() const { return next_row_; }
  // Adds a new row and links it; `cause` is the message that is being applied.
  void Add(Node&& node);
  void Link(const std::vector<int64_t>& rows, int64_t cause);  // rows that Unlink took out
  void Unlink(const std::vector<int64_t>& rows, int64_t cause);
  std::vector<Node> RowsOf(int64_t first_row, int64_t count);

  // The chain of a root, oldest first; its states are stored ones.
  std::vector<Node> Chain(const ResourceKey& root);
  std::string FoldPrefix(const ResourceKey& root, const std::vector<Node>& nodes, size_t count);
  bool Precedes(const Node& a, const Node& b);

  ResourceKey Root(const ResourceKey& key);
  // Gives each node to the chain of its new root. `moved`: ids and their roots; chains of all
  // `roots` are rebuilt.
  void Regroup(const std::vector<ResourceKey>& old_roots,
               const std::map<ResourceKey, ResourceKey>& root_of, int64_t cause);

 private:
  struct Head {
    bool known = false;  // is there a row in resource_current?
    int64_t head = 0, version = 0;
    ResourceKey root{};
  };
  Head Find(const ResourceKey& key);
  bool Load(int64_t row, Node* node);
  std::string FoldItems(const ResourceKey& root, const std::vector<fold::Item>& items);
  bool AppendFast(const Head& head, Node* node);
  bool InsertLate(const Head& head, Node* node, int64_t cause);
  void Insert(const Head& head, Node&& node, int64_t cause);
  // Re-folds and writes what changed: states and links. Nodes from `from` to `last` are new or have a new neighbour; after them it
  // ends with the first that stays as it was. Unless `whole`, the nodes begin within the chain, and it ends before a state that
  // needs what is before them.
  enum class Refolded { kSettled, kReachedEnd, kNeedsWhole };
  Refolded Refold(const ResourceKey& root, std::vector<Node>& nodes, size_t from, size_t last, int64_t cause, bool whole);
  // The whole chain, of which the nodes before `from` are as they were.
  void Rebuild(const ResourceKey& root, std::vector<Node>& nodes, size_t from, int64_t cause);
  std::vector<Node> Stretch(const Head& head, std::string_view ord, int64_t row, const Node* late);
  void Write(const Node& node);
  void SetHead(const ResourceKey& root, bool known, int64_t head);
  std::string_view RawDigest(int64_t msg, std::string* buffer);

  Database& db_;
  Names& names_;
  std::map<int64_t, fold::ElementOrder> orders_;
  std::vector<uint8_t> marks_, buffer_;
  int64_t next_row_ = 1;
  Statement find_, head_state_, load_, insert_, relink_, insert_head_, append_head_, set_head_,
      survivor_, superseded_, landmark_, add_landmark_, drop_landmarks_, raw_digest_;
};

}  // namespace weir::hub
