// What maps identify by: resource ids, table look-ups and assigning authorities.
#include <algorithm>

#include "compiler/ir/interp/emit.h"
#include "compiler/ir/interp/eval.h"
#include "compiler/ir/interp/siphash.h"
#include "compiler/ir/interp/text.h"

namespace weir::ir {

// H of docs/ir.md: over the members of a list, each with its size before it.
std::string Evaluator::Hash(const std::vector<std::string>& parts) const {
  std::string bytes;
  for (const std::string& part : parts) {
    auto size = static_cast<uint32_t>(part.size());
    for (int shift = 0; shift < 32; shift += 8) {
      bytes.push_back(static_cast<char>((size >> shift) & 255));
    }
    bytes += part;
  }
  return SipHash128(key_, bytes);
}

Items Evaluator::EvalKey(const Node& node) {
  std::vector<std::string> parts;
  for (const Node* kid : node.kids) {
    auto part = SingleString(Eval(*kid));
    if (!part || part->empty()) {
      return {};
    }
    parts.push_back(std::move(*part));
  }
  if (failed()) {
    return {};
  }
  const size_t slash = node.text.find('/');
  std::vector<std::string> hashed = {name_space_.empty() ? module_.package : name_space_,
                                     node.text.substr(0, slash), node.text.substr(slash + 1)};
  hashed.insert(hashed.end(), parts.begin() + node.number, parts.end());
  const std::string own = Hash(hashed);
  if (node.number == 0) {
    return OneString(ToHex(own));
  }
  const std::string id = ToHex(Hash({FromHex(parts[0]).value_or(""), own}));
  const std::string& outer = node.kids[0]->text;
  keys_.emplace(id, KeyWithin{.type = hashed[1],
                              .parent_type = outer.substr(0, outer.find('/')),
                              .parent = parts[0],
                              .own = own});
  return OneString(id);
}

void Evaluator::NameKey(std::string_view id) {
  for (auto key = keys_.find(id); key != keys_.end() && !key->second.named && !failed();
       key = keys_.find(key->second.parent)) {
    key->second.named = true;
  }
}

std::vector<std::pair<std::string_view, const Evaluator::KeyWithin*>> Evaluator::NamedKeys() const {
  std::vector<std::pair<std::string_view, const KeyWithin*>> named;
  for (const auto& [id, key] : keys_) {
    if (key.named) {
      named.emplace_back(id, &key);
    }
  }
  return named;
}

Items Evaluator::EvalLookup(const Node& node) {
  auto text = SingleString(Eval(*node.kids[0]));
  const Table* table = module_.FindTable(node.text);
  if (table == nullptr) {
    Fail("unknown table");
  }
  if (!text || failed()) {
    return {};
  }
  const TableRow* row = table->otherwise == Table::Else::kValue ? &table->otherwise_row : nullptr;
  for (const TableRow& candidate : table->rows) {
    if (candidate.from == *text) {
      row = &candidate;
    }
  }
  if (row == nullptr) {
    return {};
  }
  std::string value = node.number == 0 ? row->code : node.number == 1 ? row->display : row->system;
  if (node.number == 2 && value.empty()) {
    value = table->target_system;
  }
  return value.empty() ? Items{} : OneString(std::move(value));
}

Items Evaluator::EvalAuthority(const Node& node) {
  Items input = Eval(*node.kids[0]);
  const Item* item = Single(input);
  const V2Item* hd = item != nullptr ? item->As<V2Item>() : nullptr;
  if (hd == nullptr || message_ == nullptr) {
    return {};
  }
  std::string name = message_->Piece(*hd, 1), universal = message_->Piece(*hd, 2),
              kind = message_->Piece(*hd, 3);
  const Authority* unknown = nullptr;
  for (const Authority& authority : module_.authorities) {
    if (authority.name == "unknown") {
      unknown = &authority;
      continue;
    }
    for (const std::string& declared : authority.namespaces) {
      if (!name.empty() && declared == name) {
        return OneString(authority.uri);
      }
    }
  }
  std::string uri;
  if (std::string oid = "urn:oid:" + universal;
      kind == "ISO" && IsOid(oid) && std::count(universal.begin(), universal.end(), '.') > 1) {
    uri = oid;
  } else if (std::string uuid = "urn:uuid:" + AsciiLower(universal); kind == "UUID" && IsUuid(uuid)) {
    uri = uuid;
  } else if (kind == "URI" && !universal.empty()) {
    uri = universal;
  } else if (unknown != nullptr && !(name.empty() && universal.empty())) {
    uri = unknown->uri + PercentEncode(name.empty() ? universal : name);
    counters_[WEIR_COUNT_UNKNOWN_AUTHORITY] =
        1;  // a flag: how often an expression runs is the engine's business
  }
  return uri.empty() ? Items{} : OneString(std::move(uri));
}

}  // namespace weir::ir
