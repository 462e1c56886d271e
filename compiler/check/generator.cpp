#include "compiler/check/generator.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace weir::check {

using ir::Max;
using ir::Node;
using ir::Op;
using ir::Type;

Type EmitType() { return {.name = "emit", .required = false, .max = Max::kMany}; }
Type TextType(bool required) { return {.name = "System.String", .required = required, .max = Max::kOne}; }
Type BooleanType() { return {.name = "System.Boolean", .required = true, .max = Max::kOne}; }

std::string JsonText(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\b': out += "\\b"; break;
      case '\f': out += "\\f"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (byte < 0x20) {
          out += fmt::format("\\u{:04x}", byte);
        } else {
          out += c;
        }
    }
  }
  return out + "\"";
}

bool V2Primitive(std::string_view type) {
  static const std::set<std::string_view> kPrimitive = {"DT", "DTM", "FT", "GTS", "ID", "IS", "NM", "NUL",
                                                        "SI", "SNM", "ST", "TM",  "TN", "TX"};
  return kPrimitive.contains(type.starts_with("v2.") ? type.substr(3) : type);
}

Generator::Generator(Compilation& compilation, const CheckOptions& options, DiagnosticSink& sink)
    : c_(compilation), options_(options), sink_(sink), rules_(*c_.types), written_(c_.module, *c_.types, slots_) {}

ExprContext Generator::Context() { return {*c_.types, *c_.v2, c_.module, sink_, &c_.declarations}; }

Scope Generator::NewScope(const MessageShape* shape) {
  Scope scope;
  scope.shape = shape;
  scope.this_type = Of("v2.message", true, Max::kOne);
  scope.slots = slots_;
  return scope;
}

Scope* Generator::Keep(Scope scope) {
  scopes_.push_back(std::move(scope));
  return &scopes_.back();
}

Node* Generator::New(Op op, Type type, std::vector<Node*> kids, std::string text, int64_t number, Span span) {
  return c_.module.New(op, std::move(type), std::move(kids), std::move(text), number, span);
}
Node* Generator::Emit(Op op, std::vector<Node*> kids, std::string text, int64_t number, Span span) {
  return New(op, EmitType(), std::move(kids), std::move(text), number, span);
}

Node* Generator::Clone(const Node* node) {
  std::vector<Node*> kids;
  for (const Node* kid : node->kids) {
    kids.push_back(Clone(kid));
  }
  return New(node->op, node->type, std::move(kids), node->text, node->number, node->span);
}

// `a & b` is text whatever its parts are, but says something only where one of them does.
Node* Generator::Exists(const Node* node) {
  if (node->op == Op::kLet) {
    return New(Op::kLet, BooleanType(), {Clone(node->kids[0]), Exists(node->kids[1])}, "", node->number);
  }
  if (node->op == Op::kBinary && node->text == "&") {
    return Or(Exists(node->kids[0]), Exists(node->kids[1]));
  }
  if (node->op == Op::kLiteral && node->type.name == "System.String" && node->text.empty()) {
    return New(Op::kLiteral, BooleanType(), {}, "false");
  }
  if (node->op == Op::kCall && node->text == "iif" && node->kids.size() == 4) {
    return New(Op::kCall, BooleanType(), {Clone(node->kids[0]), Clone(node->kids[1]), Exists(node->kids[2]), Exists(node->kids[3])}, "iif",
               node->number);
  }
  return New(Op::kCall, BooleanType(), {Clone(node)}, "exists");
}
// Whether it is text other than '' in any case.
bool Generator::Speaks(const Node* node) {
  if (node->op == Op::kLet) {
    return Speaks(node->kids[1]);
  }
  if (node->op == Op::kBinary && node->text == "&") {
    return Speaks(node->kids[0]) || Speaks(node->kids[1]);
  }
  if (node->op == Op::kCall && node->text == "iif") {
    return node->kids.size() == 4 && Speaks(node->kids[2]) && Speaks(node->kids[3]);
  }
  return node->type.required && !(node->op == Op::kLiteral && node->text.empty());
}

Node* Generator::And(Node* a, Node* b) {
  return a == nullptr ? b : b == nullptr ? a : New(Op::kBinary, BooleanType(), {a, b}, "and");
}
Node* Generator::Or(Node* a, Node* b) {
  return a == nullptr ? b : b == nullptr ? a : New(Op::kBinary, BooleanType(), {a, b}, "or");
}
Node* Generator::Text(const std::string& text) { return New(Op::kLiteral, TextType(true), {}, text); }
Node* Generator::Var(int64_t slot, Type type) { return New(Op::kVar, std::move(type), {}, "", slot); }

// No text `-` is an instant, so the conversion is always refused and the site decides: reject or count `degraded`.
Node* Generator::Refuse(uint32_t site) { return Emit(Op::kPrimitive, {Text("-")}, "instant", site); }

uint32_t Generator::Site(const std::string& error_class, const std::string& code, const std::string& path, bool degrade,
                         Span span) {
  auto& sites = c_.module.sites;
  for (size_t i = 0; i < sites.size(); ++i) {
    if (sites[i].error_class == error_class && sites[i].code == code && sites[i].path == path && sites[i].degrade == degrade) {
      return static_cast<uint32_t>(i);
    }
  }
  sites.push_back({.error_class = error_class, .code = code, .path = path, .degrade = degrade, .span = span});
  return static_cast<uint32_t>(sites.size() - 1);
}

// "PID-5.1" where the value comes straight from a field; else what the author wrote.
std::string Generator::PathOf(const Node* node, Span span, const Scope& scope) const {
  std::string tail;
  const Node* at = node;
  while (at != nullptr && !at->kids.empty()) {
    if (at->op == Op::kComponent || at->op == Op::kSubcomponent) {
      tail = "." + std::to_string(at->number) + tail;
    } else if (at->op == Op::kField) {
      std::string segment;
      const Node* input = at->kids[0];
      if (input->op == Op::kSegments) {
        segment = input->text;
      } else if (input->type.name.starts_with("v2.segment.")) {
        segment = input->type.name.substr(11);
      }
      if (!segment.empty()) {
        return segment + "-" + std::to_string(at->number) + tail;
      }
    }
    at = at->kids[0];
  }
  if (!tail.empty() && scope.this_type.name.starts_with("v2.")) {
    return scope.this_type.name.substr(3) + tail;
  }
  return span.valid() ? std::string(c_.files[span.file].Text(span)) : "";
}

void Generator::Error(DiagnosticKind kind, Span span, std::string message, std::string help) {
  sink_.Report(kind, span, std::move(message), std::move(help));
}

void Generator::Explain(ConformanceEntry::State state, const std::string& element, const std::string& rule, const std::string& how) {
  ConformanceEntry entry{explained_, element, rule, state, how};
  if (std::find(c_.conformance.begin(), c_.conformance.end(), entry) == c_.conformance.end()) {
    c_.conformance.push_back(std::move(entry));
  }
}

// Tables that only expressions name, as `fn f(x) = x via t` does.
void Generator::TablesOf(const Node& node) {
  if (node.op == Op::kLookup && c_.module.FindTable(node.text) == nullptr) {
    EnsureTable({.text = node.text, .span = node.span});
  }
  for (const Node* kid : node.kids) {
    TablesOf(*kid);
  }
}

void Generator::Run() {
  c_.module.edition = "1";
  for (const auto& entry : c_.declarations.all()) {
    if (const auto* authority = ast::As<ast::AuthorityDecl>(*entry.decl)) {
      std::vector<std::string> namespaces;
      for (const auto& name : authority->namespaces) {
        namespaces.push_back(name.text);
      }
      c_.module.authorities.push_back({authority->name.text, authority->uri.text, std::move(namespaces)});
    }
  }
  for (const auto& [first, second] : c_.declarations.duplicates()) {
    sink_.Report({.kind = DiagnosticKind::kDuplicateName,
                  .span = second->name.span,
                  .message = fmt::format("`{}` is declared twice", second->name.text),
                  .help = "give one of them another name",
                  .notes = {{first->name.span, "first declared here"}},
                  .label = {}});
  }
  for (const auto& entry : c_.declarations.all()) {
    ast::DeclKind kind = entry.decl->kind;
    bool policy = kind == ast::DeclKind::kPolicy;
    if (policy || kind == ast::DeclKind::kConsumer || kind == ast::DeclKind::kMigrate) {
      sink_.Report(DiagnosticKind::kNotActedOn, entry.decl->name.span,
                   policy ? "this policy is kept and enforces nothing yet: whoever holds the hub's file and key reads all of it"
                          : "this declaration is kept and not acted on yet",
                   "docs/status.md lists what is parsed and not yet acted on");
    }
    const auto* feed = ast::As<ast::FeedDecl>(*entry.decl);
    if (feed != nullptr && c_.declarations.IsOwn(*feed)) {
      GenerateFeed(*feed);
    }
    const auto* map = ast::As<ast::MapDecl>(*entry.decl);
    if (map != nullptr && c_.declarations.IsOwn(*map) && !map->from.empty() && c_.declarations.Feed(map->from.text) == nullptr &&
        !c_.v2->IsDataType(map->from.text) && !V2Primitive(map->from.text)) {
      std::string near = Nearest(map->from.text, c_.declarations.NamesOf(ast::DeclKind::kFeed));
      Error(DiagnosticKind::kUnknownDeclaration, map->from.span, fmt::format("no feed `{}` is declared", map->from.text),
            near.empty() ? "declare it with `feed`" : fmt::format("did you mean `{}`?", near));
    }
  }
  std::vector<std::string> maps;  // data type maps are met in the middle of those that use them
  std::map<std::string, std::vector<ConformanceEntry>> by_map;
  for (ConformanceEntry& entry : std::exchange(c_.conformance, {})) {
    if (!by_map.contains(entry.map)) {
      maps.push_back(entry.map);
    }
    by_map[entry.map].push_back(std::move(entry));
  }
  for (const std::string& map : maps) {
    c_.conformance.insert(c_.conformance.end(), by_map[map].begin(), by_map[map].end());
  }
  for (const auto& function : c_.module.functions) {
    TablesOf(*function.body);
  }
  for (const auto& feed : c_.module.feeds) {
    TablesOf(*feed.transform);
  }
}

}  // namespace weir::check
