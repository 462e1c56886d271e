// One item of a line to an emission: literals, primitives, data type maps, `absent`.
#include <fmt/format.h>

#include <algorithm>

#include "compiler/check/generator.h"
#include "compiler/conform/node_key.h"

namespace weir::check {

using ast::Alternative;
using ir::Node;
using ir::Op;

namespace {

constexpr std::string_view kAbsentUrl = "http://hl7.org/fhir/StructureDefinition/data-absent-reason";

bool TextLike(std::string_view type) {
  static const std::set<std::string_view> kText = {"string", "code", "markdown", "uri", "url", "canonical", "oid", "uuid", "id"};
  return kText.contains(type);
}
bool Dated(std::string_view v2) { return v2 == "v2.DT" || v2 == "v2.DTM" || v2 == "v2.TS"; }

// Whether a value of this type can become that FHIR primitive at all.
bool Fits(const ir::Type& from, const std::string& to) {
  const std::string& name = from.name;
  bool temporal = to == "date" || to == "dateTime" || to == "instant";
  bool number = to == "integer" || to == "positiveInt" || to == "unsignedInt" || to == "decimal";
  if (name == "any" || name.find('|') != std::string::npos || name.starts_with("FHIR.")) {
    return true;
  }
  if (name == "System.String") {
    return true;
  }
  if (name == "System.Boolean") {
    return to == "boolean";
  }
  if (name == "System.Integer" || name == "System.Decimal") {
    return number || to == "string";
  }
  if (name.starts_with("System.Date")) {
    return temporal;
  }
  if (name == "System.Time") {
    return to == "time";
  }
  if (name.starts_with("v2.")) {
    if (Dated(name)) {
      return temporal || to == "string";
    }
    if (name == "v2.TM") {
      return to == "time" || to == "string";
    }
    if (!V2Primitive(name)) {
      return TextLike(to);
    }
    bool numeric = name == "v2.NM" || name == "v2.SI";
    bool coded = name == "v2.ID" || name == "v2.IS";
    return TextLike(to) || (numeric ? number : !coded || to == "boolean");  // HL7 says Y and N, which a boolean is written from
  }
  return false;
}

}  // namespace

Value Generator::Absent(const ast::Name& reason, const Resolved& target) {
  Node* extension = Emit(Op::kObject, {Emit(Op::kMember, {Emit(Op::kJson, {}, JsonText(kAbsentUrl))}, "url"),
                                       Emit(Op::kMember, {Emit(Op::kJson, {}, JsonText(reason.text))}, "valueCode")});
  Node* object = Emit(Op::kObject, {Emit(Op::kMember, {Emit(Op::kArray, {extension})}, "extension")}, "", 0, reason.span);
  const fhir::Codes* codes = c_.types->FindValueSet("http://hl7.org/fhir/ValueSet/data-absent-reason");
  if (codes != nullptr && !codes->empty()) {
    const auto& list = codes->begin()->second;
    if (std::find(list.begin(), list.end(), reason.text) == list.end()) {
      std::string near = Nearest(reason.text, list);
      Error(DiagnosticKind::kNotInBinding, reason.span, fmt::format("`{}` is no data-absent-reason", reason.text),
            near.empty() ? "" : fmt::format("did you mean `{}`?", near));
    }
  }
  if (target.primitive && !target.many) {
    return {Emit(Op::kMember, {object}, "_" + target.json, 0, reason.span), nullptr, true};
  }
  return {object, nullptr, true};
}

Value Generator::LiteralValue(const Node& node, Span span, const Resolved& target) {
  bool string = node.type.name == "System.String";
  if (!Fits(node.type, target.type)) {
    Error(DiagnosticKind::kElementType, span, fmt::format("`{}` is `{}`, the value is {}", target.shown, target.type, TypeWords(node.type)));
    return {};
  }
  if (string && target.element->binding.required && target.type == "code") {
    const fhir::Codes* codes = c_.types->FindValueSet(target.element->binding.value_set);
    if (codes != nullptr) {
      std::vector<std::string> all;
      for (const auto& [system, list] : *codes) {
        all.insert(all.end(), list.begin(), list.end());
      }
      if (std::find(all.begin(), all.end(), node.text) == all.end()) {
        std::string near = Nearest(node.text, all);
        std::string list;
        for (size_t i = 0; i < all.size() && i < 8; ++i) {
          list += (i == 0 ? "" : ", ") + all[i];
        }
        Error(DiagnosticKind::kNotInBinding, span, fmt::format("`{}` is not in the required value set of `{}`", node.text, target.shown),
              near.empty() ? fmt::format("it takes one of {}", list) : fmt::format("did you mean `{}`?", near));
        return {};
      }
    }
  }
  if (string && !TextLike(target.type)) {
    static const std::set<std::string_view> kUnquoted = {"boolean", "integer", "positiveInt", "unsignedInt", "decimal"};
    if (kUnquoted.contains(target.type)) {
      Error(DiagnosticKind::kElementType, span, fmt::format("`{}` is `{}`, the value is {}", target.shown, target.type, TypeWords(node.type)),
            target.type == "boolean" ? "write `true` or `false` without quotes" : "write the number without quotes");
      return {};
    }
    uint32_t site = Site("schema", "value", target.shown, false, span);
    return {Emit(Op::kPrimitive, {Clone(&node)}, target.type, site, span), nullptr, true};
  }
  return {Emit(Op::kJson, {}, string ? JsonText(node.text) : node.text, 0, span), nullptr, true};
}

bool Generator::ChooseType(const Node& node, const Resolved& target, Resolved* out) {
  *out = target;
  const std::string& name = node.type.name;
  auto take = [&](const std::string& type) {
    for (const auto& option : target.options) {
      if (option.code == type) {
        out->type = type;
        out->json = target.element->choice ? fhir::TypeTable::ChoiceName(target.element->name, type) : target.json;
        out->primitive = c_.types->IsPrimitive(type);
        out->child = {.content = type, .shown = target.shown};
        return true;
      }
    }
    return false;
  };
  if (name.starts_with("v2.")) {
    if (!V2Primitive(name)) {
      for (const auto& option : target.options) {
        if (c_.declarations.PairMap(name.substr(3), option.code) != nullptr) {
          return take(option.code);
        }
      }
    }
    if (Dated(name) && (take("dateTime") || take("date"))) {
      return true;
    }
    if ((name == "v2.NM" && (take("decimal") || take("integer"))) || (name == "v2.SI" && take("integer"))) {
      return true;
    }
    return take("string") || take("code") || take("uri");
  }
  static const std::map<std::string, std::string> kSystem = {{"System.String", "string"},     {"System.Boolean", "boolean"},
                                                             {"System.Integer", "integer"},   {"System.Decimal", "decimal"},
                                                             {"System.Date", "date"},         {"System.DateTime", "dateTime"},
                                                             {"System.Time", "time"}};
  auto system = kSystem.find(name);
  return (system != kSystem.end() && take(system->second)) || (name == "System.String" && (take("code") || take("uri")));
}

Value Generator::PrimitiveValue(Node* node, Span span, const Resolved& target, Scope& scope) {
  if (node->op == Op::kLiteral) {
    return LiteralValue(*node, span, target);
  }
  if (!Fits(node->type, target.type)) {
    Error(DiagnosticKind::kElementType, span, fmt::format("`{}` is `{}`, the value is {}", target.shown, target.type, TypeWords(node->type)),
          node->type.is_v2() && !V2Primitive(node->type.name) && !Dated(node->type.name) ? "pick a component, as in `.1`"
                                                              : "pick a field of a fitting type, or translate it with `via TABLE`");
    return {};
  }
  std::string path = PathOf(node, span, scope);
  Node* value = node->type.is_v2() ? AsText(Context(), node) : node;
  bool text = target.type == "string" || target.type == "markdown" || target.type == "code";
  Node* present = Speaks(node) && node->op != Op::kVar ? nullptr
                  : text || !feed_->degrade                   ? Exists(value)
                                                              : New(Op::kFits, BooleanType(), {Clone(value)}, target.type);
  uint32_t site = Site("schema", "value", path, feed_->degrade, span);
  const fhir::Codes* codes = target.element->binding.required && target.type == "code"
                                 ? c_.types->FindValueSet(target.element->binding.value_set) : nullptr;
  auto texts = codes == nullptr ? std::nullopt : conform::PossibleTexts(c_.module, *value);
  if (texts) {
    for (const std::string& code : *texts) {
      if (std::none_of(codes->begin(), codes->end(), [&](const auto& list) { return std::find(list.second.begin(), list.second.end(), code) != list.second.end(); })) {
        Error(DiagnosticKind::kNotInBinding, span, fmt::format("`{}` is not in the required value set of `{}`", code, target.shown),
              fmt::format("the required value set is {}", target.element->binding.value_set));
        return {};
      }
    }
  } else if (codes != nullptr) {
    // A sender's text in a required binding is looked up as it is; what is not in the set is refused.
    const std::string& table = ValueSetTable(target.element->binding.value_set);
    Node* lookup = New(Op::kLookup, TextType(), {Clone(value)}, table, 0);
    uint32_t code_site = Site("terminology", "code", path, feed_->degrade, span);
    Node* found = Emit(Op::kPrimitive, {lookup}, target.type, site, span);
    Node* refused = Emit(Op::kWhen, {Exists(value), Refuse(code_site)});
    return {Emit(Op::kFirst, {found, refused}, "", 0, span), feed_->degrade ? Exists(lookup) : present, present == nullptr && !feed_->degrade};
  }
  return {Emit(Op::kPrimitive, {value}, target.type, site, span), present, present == nullptr};
}

// A data type map of one value. Of an absent one nothing is written, whatever constants the map holds.
Value Generator::MapCall(const ast::MapDecl& map, Node* node, Span span) {
  const std::string& function = EnsureFunction(map);
  if (function.empty()) {
    return {};
  }
  if (node->type.required) {
    return {Emit(Op::kEmitCall, {node}, function, 0, span), nullptr, true};
  }
  int64_t slot = (*slots_)++;
  auto item = [&] { return Var(slot, node->type); };
  Node* call = Emit(Op::kWhen, {Exists(item()), Emit(Op::kEmitCall, {item()}, function, 0, span)});
  return {Emit(Op::kLet, {node, call}, "", slot, span), Exists(node), false};
}

Value Generator::Convert(Node* node, Span span, const Resolved& open, Scope& scope) {
  Resolved target = open;
  bool chosen = open.options.size() > 1 && open.type.empty();
  if (chosen && !ChooseType(*node, open, &target)) {
    Error(DiagnosticKind::kElementType, span, fmt::format("none of the types of `{}` fits {}", open.shown, TypeWords(node->type)),
          "name the type in the element, as in `valueString`");
    return {};
  }
  if (!node->type.single()) {
    Error(DiagnosticKind::kTooMany, span,
          open.many ? fmt::format("`{}` needs `each`: the value may repeat", open.shown)
                    : fmt::format("`{}` takes one value, this may repeat", open.shown),
          open.many ? "write `each` before the value" : "pick one: `.first()`, `.single()`, `#1` or a condition in brackets");
    return {};
  }
  Value value;
  if (target.primitive) {
    value = PrimitiveValue(node, span, target, scope);
  } else if (node->type.is_v2()) {
    const ast::MapDecl* map = c_.declarations.PairMap(node->type.name.substr(3), target.type);
    if (map == nullptr) {
      Error(DiagnosticKind::kElementType, span,
            fmt::format("`{}` is `{}`, the value is {}, and no data type map joins them", target.shown, target.type, TypeWords(node->type)),
            fmt::format("write `map {} to {} {{ … }}`, or pick a component", node->type.name.substr(3), target.type));
      return {};
    }
    value = MapCall(*map, node, span);
    if (value.node == nullptr) {
      return {};
    }
  } else {
    Error(DiagnosticKind::kElementType, span, fmt::format("`{}` is `{}`, the value is {}", target.shown, target.type, TypeWords(node->type)),
          "write an object `{ … }`, or take the value through a table");
    return {};
  }
  if (chosen && value.node != nullptr) {
    value.node = Emit(Op::kMember, {value.node}, target.json, 0, span);
  }
  return value;
}

Node* Generator::Filter(Node* collection, const ast::Expr* when, const Scope& scope) {
  if (when == nullptr || collection == nullptr) {
    return collection;
  }
  Scope inner = scope;
  int64_t slot = *slots_;
  *slots_ += 3;  // $this, $index, $total
  Bind({}, collection, slot, inner);
  Node* condition = CheckCondition(Context(), *when, inner);
  return condition == nullptr ? nullptr
                              : New(Op::kCall, Of(collection->type.name, false, ir::Max::kMany), {collection, condition}, "where", slot);
}

Value Generator::AlternativeValue(const Alternative& alternative, const Resolved& target, Scope& scope, const ast::Expr* when) {
  if (alternative.expr == nullptr) {
    return alternative.absent.empty() ? Value{} : Absent(alternative.absent, target);
  }
  Node* node = CheckExpr(Context(), *alternative.expr, scope);
  if (node == nullptr) {
    return {};
  }
  TablesOf(*node);
  Span span = alternative.expr->span;
  if (alternative.each) {
    if (!target.many) {
      Error(DiagnosticKind::kTooMany, span, fmt::format("`{}` takes one value, `each` gives many", target.shown),
            "drop `each` and pick one with `.first()` or a condition");
      return {};
    }
    node = Filter(node, when, scope);
    if (node == nullptr) {
      return {};
    }
    int64_t slot = (*slots_)++;
    Node* item = Var(slot, Of(node->type.name, true, ir::Max::kOne));
    item->span = span;
    Value inner;
    if (!alternative.via_table.empty()) {
      inner = ViaTable(alternative, item, target, scope);
    } else if (!alternative.using_map.empty()) {
      const ast::MapDecl* map = c_.declarations.Map(alternative.using_map.text);
      inner.node = map == nullptr ? nullptr : Emit(Op::kEmitCall, {item}, EnsureFunction(*map), 0, span);
      if (map == nullptr) {
        std::string near = Nearest(alternative.using_map.text, c_.declarations.NamesOf(ast::DeclKind::kMap));
        Error(DiagnosticKind::kUnknownDeclaration, alternative.using_map.span, fmt::format("no map `{}` is declared", alternative.using_map.text),
              near.empty() ? "" : fmt::format("did you mean `{}`?", near));
      }
    } else {
      inner = Convert(item, span, target, scope);
    }
    if (inner.node == nullptr) {
      return {};
    }
    return {Emit(Op::kEach, {node, inner.node}, "", slot, span), Exists(node), false, when != nullptr};
  }
  if (!alternative.via_table.empty()) {
    if (!node->type.single()) {
      return Convert(node, span, target, scope);  // says what is wrong
    }
    return ViaTable(alternative, node, target, scope);
  }
  if (!alternative.using_map.empty()) {
    const ast::MapDecl* map = c_.declarations.Map(alternative.using_map.text);
    if (map == nullptr) {
      std::string near = Nearest(alternative.using_map.text, c_.declarations.NamesOf(ast::DeclKind::kMap));
      Error(DiagnosticKind::kUnknownDeclaration, alternative.using_map.span, fmt::format("no map `{}` is declared", alternative.using_map.text),
            near.empty() ? "" : fmt::format("did you mean `{}`?", near));
      return {};
    }
    return MapCall(*map, node, span);
  }
  return Convert(node, span, target, scope);
}

Value Generator::ItemValue(const ast::Item& item, const Resolved& target, Scope& scope, const ast::Expr* when) {
  std::vector<Node*> nodes;
  Value total;
  bool own_name = false;
  for (const Alternative& alternative : item.alternatives) {
    Value value = AlternativeValue(alternative, target, scope, when);
    if (value.node == nullptr) {
      return {};
    }
    own_name = own_name || (value.node->op == Op::kMember);
    nodes.push_back(value.node);
    total.always = total.always || value.always;
    total.filtered = total.filtered || value.filtered;
    total.present = value.present == nullptr ? total.present : Or(total.present, Clone(value.present));
  }
  if (nodes.empty()) {
    return {};
  }
  if (own_name) {  // `absent` of a primitive writes `_name`, so all alternatives write their member
    for (Node*& node : nodes) {
      node = node->op == Op::kMember ? node : Emit(Op::kMember, {node}, target.json, 0, node->span);
    }
  }
  total.node = nodes.size() == 1 ? nodes[0] : Emit(Op::kFirst, nodes, "", 0, item.span);
  total.present = total.always ? nullptr : total.present;
  return total;
}

}  // namespace weir::check
