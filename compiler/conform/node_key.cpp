#include "compiler/conform/node_key.h"

#include <algorithm>
#include <map>
#include <set>

namespace weir::conform {

using ir::Node;
using ir::Op;

namespace {

constexpr size_t kMaxTexts = 2000;  // a table's rows at most: larger ones are asked at run time

// docs/ir.md, v2 data types.
bool IsPrimitive(std::string_view v2) {
  static const std::set<std::string_view> kPrimitive = {
      "DT", "DTM", "FT", "GTS", "ID", "IS", "NM", "NUL", "SI", "SNM", "ST", "TM", "TN", "TX"};
  return kPrimitive.contains(v2);
}
class Key {
 public:
  static std::string Of(const Node& node) {
    Key key;
    key.Write(node, /*bare=*/true);
    return std::move(key.out_);
  }

 private:
  void Write(const Node& node, bool bare) {
    if (node.op == Op::kLet) {
      auto outer = lets_.find(node.number) == lets_.end() ? nullptr : lets_[node.number];
      lets_[node.number] = node.kids[0];
      Write(*node.kids[1], bare);
      lets_[node.number] = outer;
      return;
    }
    if (node.op == Op::kVar) {
      if (auto let = lets_.find(node.number); let != lets_.end() && let->second != nullptr) {
        return Write(*let->second, bare);
      }
      for (size_t i = bound_.size(); i-- > 0;) {
        if (node.number >= bound_[i] && node.number < bound_[i] + 3) {
          out_ += '^' + std::to_string(bound_.size() - i) + '+' +
                  std::to_string(node.number - bound_[i]);
          return;
        }
      }
    }
    // A field that cannot repeat here may be read by `first()` elsewhere, where its segment can.
    bool implied = node.op == Op::kField && !bare && node.type.single();
    if (implied) {
      out_ += static_cast<char>(Op::kCall);
      out_ += "first(";
    }
    out_ += static_cast<char>(node.op);
    out_ += node.text;
    out_ += '(';
    bool binds = BindsItems(node);
    if (binds) {
      bound_.push_back(node.number);
    } else if (node.op != Op::kCall) {
      out_ += std::to_string(node.number);
    }
    for (const Node* kid : node.kids) {
      Write(*kid, TakesOne(node));
      out_ += ',';
    }
    if (binds) {
      bound_.pop_back();
    }
    out_ += implied ? "),)" : ")";
  }

  std::string out_;
  std::map<int64_t, const Node*> lets_;
  std::vector<int64_t> bound_;
};

}  // namespace

std::string KeyOf(const Node& node) { return Key::Of(node); }

bool Uses(const Node& node, int64_t slot) {
  return (node.op == Op::kVar && node.number == slot) ||
         std::any_of(node.kids.begin(), node.kids.end(),
                     [&](const Node* kid) { return Uses(*kid, slot); });
}

bool BindsItems(const Node& node) {
  static const std::set<std::string_view> kLambdas = [] {
    std::set<std::string_view> names;
#define WEIR_FHIRPATH_FUNCTION(name, min, max, lambda, ...) \
  if (lambda != 0) {                                        \
    names.insert(#name);                                    \
  }
#include "compiler/ir/functions.def"
#undef WEIR_FHIRPATH_FUNCTION
    return names;
  }();
  return node.op == Op::kCall && node.kids.size() > 1 && kLambdas.contains(node.text);
}

bool IsWholeText(const Node& node) {
  if (node.op != Op::kText) {
    return false;
  }
  const std::string& type = node.kids[0]->type.name;
  return type.starts_with("v2.") && IsPrimitive(std::string_view(type).substr(3));
}
bool TakesOne(const Node& node) {
  return node.op == Op::kCall && node.kids.size() == 1 &&
         (node.text == "first" || node.text == "single" || node.text == "last");
}

bool Propagates(const Node& node) {
  switch (node.op) {
    case Op::kText:
    case Op::kField:
    case Op::kRepetition:
    case Op::kComponent:
    case Op::kSubcomponent:
    case Op::kSegments:
    case Op::kGroups:
    case Op::kLookup:
    case Op::kAuthority:
    case Op::kIndex:
    case Op::kAs:
      return true;
    case Op::kCall: {
      static const std::set<std::string_view> kNames = [] {
        std::set<std::string_view> names;
#define WEIR_FHIRPATH_FUNCTION(name, min, max, lambda, input, type, cardinality)                  \
  if (std::string_view(#cardinality) == "First" || std::string_view(#cardinality) == "Filter" ||  \
      std::string_view(#cardinality) == "IfInput" || std::string_view(#cardinality) == "Input" || \
      (std::string_view(#cardinality) == "Maybe" && std::string_view(#input).ends_with("One"))) { \
    names.insert(#name);                                                                          \
  }
#include "compiler/ir/functions.def"
#undef WEIR_FHIRPATH_FUNCTION
        return names;
      }();
      return kNames.contains(node.text);
    }
    default:
      return false;
  }
}

const Node* StripOne(const Node* node) {
  while (TakesOne(*node) || IsWholeText(*node)) {
    node = node->kids[0];
  }
  return node;
}

std::pair<Node*, Node*> Alternatives(const Node& node) {
  bool both = node.op == Op::kCall && node.text == "first" && node.kids.size() == 1 &&
              node.kids[0]->op == Op::kCall && node.kids[0]->text == "combine" &&
              node.kids[0]->kids.size() == 2;
  return both ? std::pair(node.kids[0]->kids[0], node.kids[0]->kids[1]) : std::pair<Node*, Node*>();
}

void Needs(const Node* node, std::vector<std::string>* keys) {
  node = StripOne(node);
  keys->push_back(Key::Of(*node));
  if (Propagates(*node)) {
    Needs(node->kids[0], keys);
  }
}

std::optional<std::vector<std::string>> PossibleTexts(const ir::Module& module, const Node& value) {
  auto both = [&](const Node& a, const Node& b) -> std::optional<std::vector<std::string>> {
    auto left = PossibleTexts(module, a), right = PossibleTexts(module, b);
    if (!left || !right) {
      return std::nullopt;
    }
    left->insert(left->end(), right->begin(), right->end());
    std::sort(left->begin(), left->end());
    left->erase(std::unique(left->begin(), left->end()), left->end());
    return left->size() > kMaxTexts ? std::nullopt : left;
  };
  switch (value.op) {
    case Op::kEmpty:
      return std::vector<std::string>{};
    case Op::kLiteral:
      return std::vector<std::string>{value.text};
    case Op::kLet:
      return PossibleTexts(module, *value.kids[1]);
    case Op::kLookup: {
      const ir::Table* table = module.FindTable(value.text);
      if (table == nullptr || table->rows.size() > kMaxTexts) {
        return std::nullopt;
      }
      std::vector<std::string> texts;
      auto add = [&](const ir::TableRow& row) {
        texts.push_back(value.number == 0   ? row.code
                        : value.number == 1 ? row.display
                                            : row.system);
      };
      std::for_each(table->rows.begin(), table->rows.end(), add);
      if (table->otherwise == ir::Table::Else::kValue) {
        add(table->otherwise_row);
      }
      std::sort(texts.begin(), texts.end());
      texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
      return texts;
    }
    case Op::kCall:
      if (value.text == "iif" && value.kids.size() == 4) {
        return both(*value.kids[2], *value.kids[3]);
      }
      if (value.text == "iif" && value.kids.size() == 3) {
        return PossibleTexts(module, *value.kids[2]);
      }
      if (value.text == "first" || value.text == "single") {
        return PossibleTexts(module, *value.kids[0]);
      }
      if (value.text == "combine" && value.kids.size() == 2) {
        return both(*value.kids[0], *value.kids[1]);
      }
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

}  // namespace weir::conform
