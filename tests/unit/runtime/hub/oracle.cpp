#include "tests/unit/runtime/hub/oracle.h"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

#include "runtime/fold/fold.h"
#include "runtime/hub/hash.h"

namespace weir::hub::testing {
namespace {

using Id = std::pair<uint32_t, std::string>;  // type, hex

struct Row {
  std::string order, raw;  // of its message
  size_t place;            // within it
  uint32_t op, map;
  Id id, other;
  std::string tag, body;
};

class Oracle {
 public:
  explicit Oracle(const std::vector<FakeMessage>& messages) {
    for (const FakeMessage& message : messages) {
      batch_.Add(message);
    }
    Collect();
    for (const Row& row : rows_) {
      const bool undoes = row.op == WEIR_OP_RETRACT;
      if (row.op == WEIR_OP_ALIAS || undoes) {
        merges_[row.id].push_back(&row);
      }
    }
  }

  std::string Export() {
    std::map<std::pair<std::string, std::string>, std::vector<const Row*>> chains;  // by type name and root
    for (const Row& row : rows_) {
      const Id root = Root(row.id);
      chains[{FakeManifest().types[root.first].name, root.second}].push_back(&row);
    }
    std::string text;
    for (const auto& [key, chain] : chains) {
      const std::string state = Fold(chain, key.second);
      text += state.empty() ? "" : Resolved(state) + "\n";
    }
    return text;
  }

 private:
  // Of equal copies the one with the least order key and raw digest counts; then all rows in order.
  void Collect() {
    std::map<std::pair<std::string, std::string>, const Record*> counting;
    const auto rank = [](const Record& r) { return std::pair(std::string(r.order), HashRaw(r.raw)); };
    for (const Record& record : batch_.records()) {
      const Digest16 raw = HashRaw(record.raw);
      const auto key = record.key.empty() ? std::pair(std::string(View(raw)), std::string())
                                          : std::pair(std::string(record.key), std::string(View(record.content)));
      const Record*& known = counting[key];
      if (known == nullptr || rank(record) < rank(*known)) {
        known = &record;
      }
    }
    for (const auto& [key, record] : counting) {
      for (const weir_key& k : record->keys) {
        within_[{k.type, {k.id, 32}}] = {{k.parent_type, {k.parent, 32}}, Hex({reinterpret_cast<const char*>(k.own), 16})};
      }
      for (size_t i = 0; i < record->items.size(); ++i) {
        const weir_contribution& c = record->items[i];
        rows_.push_back({std::string(record->order), std::string(View(HashRaw(record->raw))), i, c.op, c.map, {c.type, {c.id, 32}},
                         {c.type, {c.other_id, 32}}, std::string(record->bytes.substr(c.tag_offset, c.tag_size)),
                         std::string(record->bytes.substr(c.body_offset, c.body_size))});
      }
    }
    std::ranges::sort(rows_, {}, [](const Row& r) { return std::tuple(r.order, r.raw, r.place); });
  }

  struct Edge {
    bool said = false;
    std::string order;
    Id to;
  };
  // The last alias of this very id that no retract undoes.
  std::optional<Edge> Said(const Id& id) {
    std::vector<const Row*> standing;
    for (const Row* row : merges_[id]) {
      if (row->op == WEIR_OP_ALIAS) {
        standing.push_back(row);
        continue;
      }
      const auto undone = std::find_if(standing.rbegin(), standing.rend(), [&](const Row* alias) {
        return alias->map == row->map && ("," + row->tag + ",").find("," + alias->tag + ",") != std::string::npos;
      });
      if (undone != standing.rend()) {
        standing.erase(std::next(undone).base());
      }
    }
    std::erase_if(standing, [&](const Row* alias) { return alias->other == id; });
    return standing.empty() ? std::nullopt : std::optional(Edge{true, standing.back()->order, standing.back()->other});
  }
  std::optional<Edge> EdgeOf(const Id& id) {
    if (auto said = Said(id)) {
      return said;
    }
    const auto within = within_.find(id);
    if (within == within_.end()) {
      return std::nullopt;
    }
    const auto [root, order] = Way(within->second.first);
    if (root == within->second.first) {
      return std::nullopt;
    }
    const Id to = {id.first, FakeWithin(root.second, within->second.second)};
    within_.try_emplace(to, root, within->second.second);
    return Edge{false, order, to};
  }
  std::pair<Id, std::string> Way(const Id& id) {
    std::vector<std::pair<Id, Edge>> path;
    Id at = id;
    while (auto edge = EdgeOf(at)) {
      const auto seen = std::ranges::find(path, at, &std::pair<Id, Edge>::first);
      if (seen != path.end()) {
        path.erase(std::min_element(seen, path.end(), [](const auto& a, const auto& b) {
                     return std::tuple(a.second.said, a.second.order, FakeManifest().types[a.first.first].name, a.first.second) <
                            std::tuple(b.second.said, b.second.order, FakeManifest().types[b.first.first].name, b.first.second);
                   }),
                   path.end());
        break;
      }
      path.emplace_back(at, *edge);
      at = edge->to;
    }
    std::string order;
    for (const auto& [from, edge] : path) {
      order = std::max(order, edge.order);
    }
    return {path.empty() ? id : path.back().second.to, order};
  }
  Id Root(const Id& id) { return Way(id).first; }

  std::string Fold(const std::vector<const Row*>& chain, const std::string& id) {
    std::vector<fold::Item> items;
    for (const Row* row : chain) {
      items.push_back({row->op, row->map, reinterpret_cast<const uint8_t*>(row->tag.data()), reinterpret_cast<const uint8_t*>(row->body.data()),
                       static_cast<uint32_t>(row->tag.size()), static_cast<uint32_t>(row->body.size())});
    }
    std::vector<uint8_t> marks(items.size()), out(1 << 16);
    const auto result = fold::Fold(FakeManifest().types[chain[0]->id.first].order.table(), items.data(), static_cast<uint32_t>(items.size()), id,
                                   marks.data(), out.data(), static_cast<uint32_t>(out.size()));
    return {reinterpret_cast<const char*>(out.data()), result.size};
  }

  std::string Resolved(std::string body) {
    constexpr std::string_view kStart = "\"reference\":\"";
    for (size_t at = body.find(kStart); at != std::string::npos; at = body.find(kStart, at + 1)) {
      const size_t slash = body.find('/', at);
      const std::string type = body.substr(at + kStart.size(), slash - at - kStart.size());
      const auto known = std::ranges::find(FakeManifest().types, type, &TypeInfo::name);
      const auto ordinal = static_cast<uint32_t>(known - FakeManifest().types.begin());
      body.replace(slash + 1, 32, Root({ordinal, body.substr(slash + 1, 32)}).second);
    }
    return body;
  }

  FakeBatch batch_;
  std::vector<Row> rows_;
  std::map<Id, std::vector<const Row*>> merges_;
  std::map<Id, std::pair<Id, std::string>> within_;  // parent and own digest
};

}  // namespace

std::string OracleExport(const std::vector<FakeMessage>& messages) { return Oracle(messages).Export(); }

}  // namespace weir::hub::testing
