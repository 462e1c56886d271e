// What maps identify by: resource ids, table look-ups and assigning authorities.
#include <algorithm>

#include "compiler/ir/interp/emit.h"
#include "compiler/ir/interp/eval.h"
#include "compiler/ir/interp/siphash.h"
#include "compiler/ir/interp/text.h"

namespace weir::ir {

std::string Evaluator::ResourceId(std::string_view type_and_keyspace,
                                  const std::vector<std::string>& parts) const {
  size_t slash = type_and_keyspace.find('/');
  std::string bytes;
  auto add = [&bytes](std::string_view part) {
    auto size = static_cast<uint32_t>(part.size());
    for (int shift = 0; shift < 32; shift += 8) {
      bytes.push_back(static_cast<char>((size >> shift) & 255));
    }
    bytes += part;
  };
  add(name_space_.empty() ? std::string_view(module_.package) : std::string_view(name_space_));
  add(type_and_keyspace.substr(0, slash));
  add(slash == std::string_view::npos ? "" : type_and_keyspace.substr(slash + 1));
  for (const std::string& part : parts) {
    add(part);
  }
  return ToHex(SipHash128(key_, bytes));
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
  return failed() ? Items{} : OneString(ResourceId(node.text, parts));
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
