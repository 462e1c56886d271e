// `VALUE via TABLE`: tables of the program to tables of the module, and what a code becomes in each element type.
#include <fmt/format.h>

#include <algorithm>

#include "compiler/check/generator.h"

namespace weir::check {

using ir::Node;
using ir::Op;

namespace {

// The URI of a code system: HL7 v2 tables by rule, the few aliases the guide uses by list, a quoted URL as it is.
std::string SystemUri(const std::string& name) {
  if (name.starts_with("HL7") && name.size() == 7) {
    return "http://terminology.hl7.org/CodeSystem/v2-" + name.substr(3);
  }
  if (name.starts_with("v3-") || name.starts_with("v2-")) {
    return "http://terminology.hl7.org/CodeSystem/" + name;
  }
  if (name.find(':') != std::string::npos) {
    return name;
  }
  return "http://hl7.org/fhir/" + name;
}

}  // namespace

bool Generator::EnsureTable(const ast::Name& name) {
  const ast::TableDecl* decl = c_.declarations.Table(name.text);
  if (decl == nullptr) {
    std::string near = Nearest(name.text, c_.declarations.NamesOf(ast::DeclKind::kTable));
    Error(DiagnosticKind::kUnknownDeclaration, name.span, fmt::format("no table `{}` is declared", name.text),
          near.empty() ? "" : fmt::format("did you mean `{}`?", near));
    return false;
  }
  if (c_.module.FindTable(decl->name.text) != nullptr) {
    return true;
  }
  ir::Table table;
  table.name = decl->name.text;
  table.source_system = SystemUri(decl->from.text);
  table.target_system = SystemUri(decl->to.text);
  std::map<std::string, Span> seen;
  for (const auto& row : decl->rows) {
    for (const auto& source : row.sources) {
      auto [first, fresh] = seen.try_emplace(source.text, source.span);
      if (!fresh) {
        sink_.Report({.kind = DiagnosticKind::kDuplicateRow,
                      .span = source.span,
                      .message = fmt::format("`{}` is translated twice", source.text),
                      .help = "keep one of the rows",
                      .notes = {{first->second, "the first row"}},
                      .label = {}});
        continue;
      }
      table.rows.push_back({source.text, row.target.text, row.display.text,
                            row.system.empty() ? table.target_system : SystemUri(row.system.text)});
    }
  }
  std::sort(table.rows.begin(), table.rows.end(), [](const ir::TableRow& a, const ir::TableRow& b) { return a.from < b.from; });
  // The rules for what is not listed are spelled out where the table is used; only a fixed code is the table's own.
  table.otherwise = ir::Table::Else::kOriginal;
  if (decl->otherwise == ast::TableElse::kCode) {
    table.otherwise = ir::Table::Else::kValue;
    const auto& row = decl->otherwise_row;
    table.otherwise_row = {"", row.target.text, row.display.text, row.system.empty() ? table.target_system : SystemUri(row.system.text)};
  } else if (decl->otherwise == ast::TableElse::kText) {
    table.otherwise = ir::Table::Else::kText;
  }
  c_.module.tables.push_back(std::move(table));
  return true;
}

// `with_system`: by "SYSTEM|CODE". Empty: the registry cannot list the set.
const std::string& Generator::ValueSetTable(const std::string& url, bool with_system) {
  static const std::string kNone;
  if (with_system && c_.types->FindValueSet(url) == nullptr) {
    return kNone;
  }
  std::string name = "ValueSet " + url.substr(url.rfind('/') + 1) + (with_system ? " by system" : "");
  if (c_.module.FindTable(name) == nullptr) {
    ir::Table table;
    table.name = name;
    table.otherwise = ir::Table::Else::kOriginal;
    if (const fhir::Codes* codes = c_.types->FindValueSet(url)) {
      std::set<std::string> seen;
      for (const auto& [system, list] : *codes) {
        for (const std::string& code : list) {
          std::string key = with_system ? system + "|" + code : code;
          if (seen.insert(key).second) {
            table.rows.push_back({key, code, "", system});
          }
        }
      }
    }
    std::sort(table.rows.begin(), table.rows.end(), [](const ir::TableRow& a, const ir::TableRow& b) { return a.from < b.from; });
    c_.module.tables.push_back(std::move(table));
  }
  return *tables_.insert(name).first;
}

// Every code the table can give must be in the element's required value set.
void Generator::CheckTableBinding(const ast::TableDecl& table, const Resolved& target, Span span) {
  if (target.element == nullptr || !target.element->binding.required) {
    return;
  }
  const fhir::Codes* codes = c_.types->FindValueSet(target.element->binding.value_set);
  if (codes == nullptr) {
    return;
  }
  auto check = [&](const ast::Name& code) {
    std::vector<std::string> all;
    for (const auto& [system, list] : *codes) {
      all.insert(all.end(), list.begin(), list.end());
    }
    if (code.empty() || std::find(all.begin(), all.end(), code.text) != all.end()) {
      return;
    }
    std::string near = Nearest(code.text, all);
    std::string list;
    for (size_t i = 0; i < all.size() && i < 8; ++i) {
      list += (i == 0 ? "" : ", ") + all[i];
    }
    sink_.Report({.kind = DiagnosticKind::kTableRange,
                  .span = code.span,
                  .message = fmt::format("`{}` is not in the required value set of `{}`", code.text, target.shown),
                  .help = near.empty() ? fmt::format("it takes one of {}", list) : fmt::format("did you mean `{}`?", near),
                  .notes = {{span, "the table is used here"}},
                  .label = {}});
  };
  for (const auto& row : table.rows) {
    check(row.target);
  }
  if (table.otherwise == ast::TableElse::kCode) {
    check(table.otherwise_row.target);
  } else if (table.otherwise == ast::TableElse::kOriginal || (table.otherwise == ast::TableElse::kText && target.primitive)) {
    sink_.Report({.kind = DiagnosticKind::kTableRange,
                  .span = span,
                  .message = fmt::format("a code without a row would stay as it is, and the value set of `{}` is required", target.shown),
                  .help = "end the table with `else -> dead_letter`, `else -> omit` or a code of the value set",
                  .notes = {{table.name.span, "the table"}},
                  .label = {}});
  }
}

Value Generator::ViaTable(const ast::Alternative& alternative, Node* node, const Resolved& open, Scope& scope) {
  if (!EnsureTable(alternative.via_table)) {
    return {};
  }
  const ast::TableDecl& table = *c_.declarations.Table(alternative.via_table.text);
  Span span = alternative.expr->span;
  Resolved target = open;
  bool chosen = open.type.empty() && open.options.size() > 1;
  if (chosen) {
    for (const char* type : {"CodeableConcept", "Coding", "code", "string"}) {
      auto option = std::find_if(open.options.begin(), open.options.end(), [&](const auto& o) { return o.code == type; });
      if (option != open.options.end()) {
        target.type = type;
        target.json = fhir::TypeTable::ChoiceName(open.element->name, type);
        target.primitive = c_.types->IsPrimitive(type);
        break;
      }
    }
  }
  CheckTableBinding(table, target, alternative.via_table.span);
  std::string path = PathOf(node, span, scope);
  Node* text = AsText(Context(), Clone(node));
  auto lookup = [&](Node* of, int64_t n) { return New(Op::kLookup, TextType(), {Clone(of)}, table.name.text, n); };
  auto column = [&](int64_t n) { return lookup(text, n); };
  auto member = [&](const char* name, Node* value, const char* type) {
    return Emit(Op::kMember, {Emit(Op::kPrimitive, {value}, type, Site("schema", "value", path, feed_->degrade, span))}, name);
  };
  auto coding_of = [&](Node* of) {
    return Emit(Op::kObject, {member("system", lookup(of, 2), "uri"), member("code", lookup(of, 0), "code"), member("display", lookup(of, 1), "string")});
  };
  auto coding = [&] { return coding_of(text); };
  // A code without a row must write nothing, so each object asks for its row first.
  auto found = [&] { return New(Op::kCall, BooleanType(), {column(0)}, "exists"); };
  Node* value = nullptr;
  if (target.primitive) {
    value = Emit(Op::kPrimitive, {column(0)}, target.type, Site("schema", "value", path, feed_->degrade, span), span);
  } else if (target.type == "Coding") {
    value = Emit(Op::kWhen, {found(), coding()});
  } else if (target.type == "CodeableConcept") {
    std::vector<Node*> codings = {coding()};
    std::vector<Node*> members;
    if (node->type.name == "v2.CWE" || node->type.name == "v2.CE") {
      auto text_of = [&](int64_t n) {
        Op op = node->op == Op::kComponent ? Op::kSubcomponent : Op::kComponent;
        return New(Op::kText, TextType(), {New(op, Of("v2.ST", false, ir::Max::kOne), {Clone(node)}, "", n)});
      };
      auto component = [&](int64_t n) {
        return Emit(Op::kPrimitive, {text_of(n)}, "string", Site("schema", "value", path, feed_->degrade, span));
      };
      // The alternate code says the same in other words; where the table knows it, it is a second coding.
      Node* alternate = text_of(4);
      codings.push_back(Emit(Op::kWhen, {New(Op::kCall, BooleanType(), {lookup(alternate, 0)}, "exists"), coding_of(alternate)}));
      std::vector<Node*> texts = {component(2)};
      if (node->type.name == "v2.CWE") {
        texts.insert(texts.begin(), component(9));
      }
      members.push_back(Emit(Op::kMember, {Emit(Op::kFirst, std::move(texts))}, "text"));
    }
    members.insert(members.begin(), Emit(Op::kMember, {Emit(Op::kArray, std::move(codings))}, "coding"));
    value = Emit(Op::kWhen, {found(), Emit(Op::kObject, std::move(members))});
  } else {
    Error(DiagnosticKind::kElementType, span, fmt::format("a table gives a code, `{}` is `{}`", target.shown, target.type),
          "write an object `{ … }` and use the table for its code");
    return {};
  }
  Node* missing = nullptr;
  Node* present = Exists(text);
  switch (table.otherwise) {
    case ast::TableElse::kNone:
    case ast::TableElse::kDeadLetter:
      missing = Emit(Op::kWhen, {Exists(node), Refuse(Site("terminology", "code", path, false, span))});  // a field without a code has no row either
      break;
    case ast::TableElse::kOmit:
      missing = Emit(Op::kWhen, {Exists(node), Refuse(Site("terminology", "code", path, true, span))});
      present = found();
      break;
    case ast::TableElse::kOriginal:
      if (target.primitive) {
        Node* original = Emit(Op::kPrimitive, {Clone(text)}, target.type, Site("schema", "value", path, feed_->degrade, span));
        missing = Emit(Op::kCount, {original}, "degraded");
      } else if (const ast::MapDecl* map = node->type.is_v2() ? c_.declarations.PairMap(node->type.name.substr(3), target.type) : nullptr) {
        missing = Emit(Op::kCount, {MapCall(*map, Clone(node), span).node}, "degraded");
        present = Exists(node);
      } else {
        Node* code = Emit(Op::kObject, {member("code", Clone(text), "code")});
        missing = Emit(Op::kCount, {target.type == "Coding" ? code : Emit(Op::kObject, {Emit(Op::kMember, {Emit(Op::kArray, {code})}, "coding")})}, "degraded");
      }
      break;
    case ast::TableElse::kText:
      missing = target.type == "CodeableConcept" ? Emit(Op::kObject, {member("text", Clone(text), "string")})
                : target.type == "Coding"        ? Emit(Op::kObject, {member("display", Clone(text), "string")})
                                                 : Emit(Op::kPrimitive, {Clone(text)}, target.type, Site("schema", "value", path, feed_->degrade, span));
      missing = Emit(Op::kCount, {missing}, "degraded");
      break;
    case ast::TableElse::kCode:
      break;
  }
  Node* result = missing == nullptr ? value : Emit(Op::kFirst, {value, missing}, "", 0, span);
  if (chosen) {
    result = Emit(Op::kMember, {result}, target.json, 0, span);
  }
  return {result, present, false};
}

}  // namespace weir::check
