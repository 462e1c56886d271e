#include "compiler/check/expr.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "compiler/check/declarations.h"
#include "compiler/check/v2_path.h"

namespace weir::check {
namespace {

using ast::Expr;
using ast::ExprKind;
using ir::Max;
using ir::Node;
using ir::Op;
using ir::Type;

struct FunctionRule {
  std::string_view name;
  int min, max;
  unsigned lambda;
  std::string_view input, type, cardinality;
};

constexpr FunctionRule kFunctions[] = {
#define WEIR_FHIRPATH_FUNCTION(name, min, max, lambda, input, type, cardinality) \
  {#name, min, max, lambda, #input, #type, #cardinality},
#include "compiler/ir/functions.def"
#undef WEIR_FHIRPATH_FUNCTION
};

const FunctionRule* FindFunction(std::string_view name) {
  for (const auto& rule : kFunctions) {
    if (rule.name == name) {
      return &rule;
    }
  }
  return nullptr;
}

constexpr std::string_view kSystemTypes[] = {"Boolean", "String", "Integer", "Decimal", "Date", "DateTime", "Time", "Quantity"};
constexpr int kMaxInlining = 32;  // `fn` calling `fn`: deeper than any reader follows

bool Contains(const std::string& alternatives, std::string_view one) {
  std::string_view rest = alternatives;
  while (!rest.empty()) {
    size_t bar = rest.find('|');
    if (rest.substr(0, bar) == one) {
      return true;
    }
    rest.remove_prefix(bar == std::string_view::npos ? rest.size() : bar + 1);
  }
  return false;
}

std::string Union(const std::string& a, const std::string& b) {
  if (a == b || b.empty()) {
    return a;
  }
  if (a == "any" || b == "any") {
    return "any";
  }
  return Contains(a, b) ? a : Contains(b, a) ? b : a < b ? a + "|" + b : b + "|" + a;
}

class Checker {
 public:
  Checker(const ExprContext& context, Scope& scope) : c_(context), scope_(scope) {}

  Node* Check(const Expr& e) {
    switch (e.kind) {
      case ExprKind::kEmpty:
        return New(e, Op::kEmpty, Of("any", false, Max::kZero));
      case ExprKind::kBoolean:
        return Literal(e, "System.Boolean", e.text);
      case ExprKind::kString:
        return Literal(e, "System.String", e.text);
      case ExprKind::kInteger:
        return Literal(e, "System.Integer", e.text);
      case ExprKind::kDecimal:
        return Literal(e, "System.Decimal", e.text);
      case ExprKind::kDate:
        return Literal(e, "System.Date", e.text);
      case ExprKind::kDateTime:
        return Literal(e, "System.DateTime", e.text);
      case ExprKind::kTime:
        return Literal(e, "System.Time", e.text);
      case ExprKind::kQuantity:
        return Literal(e, "System.Quantity", e.text + (e.unit_is_word ? " " + e.value : " '" + e.value + "'"));
      case ExprKind::kThis:
        return This(e);
      case ExprKind::kIndexVar:
        return New(e, Op::kVar, Of("System.Integer", true, Max::kOne), {}, "", scope_.this_slot + 1);
      case ExprKind::kTotal:
        return New(e, Op::kVar, Of("any", false, Max::kMany), {}, "", scope_.total_slot + 2);
      case ExprKind::kEnv:
        return Environment(e);
      case ExprKind::kName:
        return Name(e);
      case ExprKind::kMember:
        return Member(e);
      case ExprKind::kV2Field: {
        Node* base = nullptr;
        if (!e.kids.empty() && (base = Check(*e.kids[0])) == nullptr) {
          return nullptr;
        }
        return V2Field(c_, scope_, e, base);
      }
      case ExprKind::kStep:
        return WithInput(e, [&](Node* input) { return V2Step(c_, scope_, e, input); });
      case ExprKind::kRepeat:
        return WithInput(e, [&](Node* input) { return V2Repetition(c_, e, input); });
      case ExprKind::kIndex:
        return Index(e);
      case ExprKind::kFilter:
        return Filter(e);
      case ExprKind::kCriterion:
        return Report(DiagnosticKind::kUnknownName, e.span, "a criterion stands only in the brackets after a repeating field");
      case ExprKind::kCall:
        return Call(e);
      case ExprKind::kUnary:
        return WithInput(e, [&](Node* input) {
          return New(e, Op::kUnary, input->type, {input}, std::string(ast::Spelling(e.op)));
        });
      case ExprKind::kBinary:
        return Binary(e);
      case ExprKind::kTypeOp:
        return WithInput(e, [&](Node* input) { return TypeOperation(e, input, e.op == ast::Operator::kIs, e.text, e.name_span); });
      case ExprKind::kError:
        return nullptr;
    }
    return nullptr;
  }

 private:
  Node* New(const Expr& e, Op op, Type type, std::vector<Node*> kids = {}, std::string text = {}, int64_t number = 0) {
    return c_.module.New(op, std::move(type), std::move(kids), std::move(text), number, e.span);
  }
  Node* Literal(const Expr& e, const char* type, std::string text) {
    return New(e, Op::kLiteral, Of(type, true, Max::kOne), {}, std::move(text));
  }
  Node* Report(DiagnosticKind kind, Span span, std::string message, std::string help = {}) {
    c_.sink.Report(kind, span, std::move(message), std::move(help));
    return nullptr;
  }
  template <typename F>
  Node* WithInput(const Expr& e, F use) {
    Node* input = Check(*e.kids[0]);
    return input == nullptr ? nullptr : use(input);
  }

  Node* This(const Expr& e) {
    if (scope_.this_slot < 0) {
      return New(e, Op::kMessage, scope_.this_type);
    }
    return New(e, Op::kVar, scope_.this_type, {}, "", scope_.this_slot);
  }

  Node* Environment(const Expr& e) {
    bool text = e.text == "ucum" || e.text == "sct" || e.text == "loinc" || e.text.starts_with("vs-") || e.text.starts_with("ext-");
    if (text) {
      return New(e, Op::kEnv, Of("System.String", true, Max::kOne), {}, e.text);
    }
    if (e.text == "context" || e.text == "resource" || e.text == "rootResource") {
      return New(e, Op::kEnv, scope_.root_type.empty() ? Of("any", false, Max::kOne) : Of("FHIR." + scope_.root_type, true, Max::kOne),
                 {}, e.text);
    }
    return Report(DiagnosticKind::kUnknownName, e.span, fmt::format("`%{}` is no environment constant", e.text),
                  "known are `%context`, `%resource`, `%rootResource`, `%ucum`, `%sct`, `%loinc`");
  }

  Node* Name(const Expr& e) {
    for (auto variable = scope_.variables.rbegin(); variable != scope_.variables.rend(); ++variable) {
      if (variable->name == e.text) {
        return New(e, Op::kVar, variable->type, {}, "", variable->slot);
      }
    }
    if (!scope_.pure && c_.declarations != nullptr) {
      if (const auto* keyspace = c_.declarations->Keyspace(e.text)) {
        return Keyspace(e, *keyspace);
      }
    }
    if (scope_.shape != nullptr) {
      return V2Name(c_, scope_, e);
    }
    const Type& self = scope_.this_type;
    if (!e.text.empty() && e.text[0] >= 'A' && e.text[0] <= 'Z' && c_.types.FindType(e.text) != nullptr) {
      if (self.name == "any" || scope_.root_type.empty()) {
        return This(e);
      }
      if (self.name.starts_with("FHIR.") && c_.types.IsSubtype(std::string_view(self.name).substr(5), e.text)) {
        return This(e);
      }
      return Report(DiagnosticKind::kNoSuchElement, e.span,
                    fmt::format("the context is {}, not `{}`", TypeWords(self), e.text));
    }
    return Child(e, This(e));
  }

  // A keyspace in an expression is its key as text: `require mrn` asks whether it is there.
  Node* Keyspace(const Expr& e, const ast::KeyspaceDecl& keyspace) {
    Scope around = KeyScope(scope_);
    if (++around.depth > kMaxInlining) {
      return Report(DiagnosticKind::kRecursion, e.span,
                    fmt::format("keyspace `{}` needs itself", e.text),
                    "a key is made of values of the message");
    }
    return CheckKeyspace(c_, keyspace, around);
  }

  Node* Member(const Expr& e) {
    return WithInput(e, [&](Node* input) -> Node* {
      if (input->type.is_v2()) {
        return V2Member(c_, scope_, e, input);
      }
      return Child(e, input);
    });
  }

  Node* Child(const Expr& e, Node* input) {
    const std::string& name = e.text;
    if (input->type.name == "any") {
      return New(e, Op::kChild, Of("any", false, Max::kMany), {input}, name);
    }
    std::string type;
    bool many = input->type.max == Max::kMany;
    bool required = input->type.required;
    std::string owner_words;
    std::string_view rest = input->type.name;
    std::vector<std::string> siblings;
    while (!rest.empty()) {
      size_t bar = rest.find('|');
      std::string_view one = rest.substr(0, bar);
      rest.remove_prefix(bar == std::string_view::npos ? rest.size() : bar + 1);
      if (!one.starts_with("FHIR.")) {
        continue;
      }
      one.remove_prefix(5);
      owner_words = std::string(one);
      auto found = c_.types.FindElement(one, name);
      if (!found) {
        for (const auto* element : c_.types.Children(one)) {
          siblings.push_back(element->name);
        }
        continue;
      }
      if (found.chosen != nullptr) {
        return Report(DiagnosticKind::kNoSuchElement, e.name_span,
                      fmt::format("`{}` is the JSON name of `{}`; FHIRPath says `{}`", name, found.element->name, found.element->name),
                      fmt::format("`{} as {}` or `{}.ofType({})`", found.element->name, found.chosen->code, found.element->name,
                                  found.chosen->code));
      }
      many = many || found.element->max > 1;
      required = required && found.element->min > 0;
      std::string child;
      if (found.element->choice) {
        for (const auto& option : found.element->types) {
          child = child.empty() ? "FHIR." + option.code : Union(child, "FHIR." + option.code);
        }
      } else {
        child = "FHIR." + c_.types.ContentPath(*found.element, *found.owner);
        if (child == "FHIR.Resource") {
          child = "any";
        }
      }
      type = type.empty() ? child : Union(type, child);
    }
    if (type.empty()) {
      if (input->type.name.find("System.") != std::string::npos || input->type.name == "System.TypeInfo") {
        if (name == "name" || name == "namespace" || name == "unit" || name == "value" || name == "code") {
          return New(e, Op::kChild, Of("any", false, Max::kOne), {input}, name);
        }
      }
      std::string near = Nearest(name, siblings);
      return Report(DiagnosticKind::kNoSuchElement, e.name_span.valid() ? e.name_span : e.span,
                    fmt::format("{} has no element `{}`", TypeWords(input->type), name),
                    near.empty() ? "" : fmt::format("did you mean `{}`?", near));
    }
    return New(e, Op::kChild, Of(type, required, many ? Max::kMany : Max::kOne), {input}, name);
  }

  Node* Index(const Expr& e) {
    return WithInput(e, [&](Node* input) -> Node* {
      if (input->type.is_v2()) {
        // A condition that the parser could not tell from an index.
        if (e.kids[1]->kind == ExprKind::kInteger) {
          return Report(DiagnosticKind::kBareIndex, e.kids[1]->span, "a bare index on HL7 repetitions counts from 0 here and from 1 in HL7",
                        fmt::format("`#{}` is HL7's repetition {}", std::atoi(e.kids[1]->text.c_str()) + 1,
                                    std::atoi(e.kids[1]->text.c_str()) + 1));
        }
        return Where(e, input, {e.kids[1].get()});
      }
      Node* index = Check(*e.kids[1]);
      if (index == nullptr) {
        return nullptr;
      }
      if (index->type.name == "System.Boolean") {
        return Where(e, input, {e.kids[1].get()});
      }
      return New(e, Op::kIndex, Of(input->type.name, false, Max::kOne), {input, index});
    });
  }

  Node* Filter(const Expr& e) {
    return WithInput(e, [&](Node* input) -> Node* {
      std::vector<const Expr*> criteria;
      for (size_t i = 1; i < e.kids.size(); ++i) {
        criteria.push_back(e.kids[i].get());
      }
      return Where(e, input, criteria);
    });
  }

  // `where` with all criteria, each with $this bound to the item.
  Node* Where(const Expr& e, Node* input, const std::vector<const Expr*>& criteria) {
    Scope inner = Lambda(input);
    Node* condition = nullptr;
    for (const Expr* criterion : criteria) {
      Node* one = criterion->kind == ExprKind::kCriterion ? V2Criterion(c_, inner, *criterion, input)
                                                          : CheckCondition(c_, *criterion, inner);
      if (one == nullptr) {
        return nullptr;
      }
      condition = condition == nullptr ? one
                                       : New(e, Op::kBinary, Of("System.Boolean", false, Max::kOne), {condition, one}, "and");
    }
    return New(e, Op::kCall, Of(input->type.name, false, input->type.max), {input, condition}, "where", inner.this_slot);
  }

  Scope Lambda(Node* input) {
    Scope inner = scope_;
    inner.this_slot = *scope_.slots;
    *scope_.slots += 3;
    inner.this_type = Of(input->type.name, true, Max::kOne);
    return inner;
  }

  std::string QualifiedType(const std::string& name, Span span) {
    std::string_view bare = name;
    if (bare.starts_with("System.")) {
      bare.remove_prefix(7);
      return name;  // one it does not have is never an item's type: `is` answers false
    }
    if (bare.starts_with("FHIR.")) {
      bare.remove_prefix(5);
    } else if (std::find(std::begin(kSystemTypes), std::end(kSystemTypes), bare) != std::end(kSystemTypes) && bare != "Quantity") {
      return "System." + std::string(bare);
    }
    if (c_.types.FindType(bare) != nullptr) {
      return "FHIR." + std::string(bare);
    }
    if (scope_.shape != nullptr && (c_.v2.IsDataType(bare) || bare.size() == 2)) {
      return "v2." + std::string(bare);
    }
    std::vector<std::string> names(std::begin(kSystemTypes), std::end(kSystemTypes));
    for (auto& known : c_.types.TypeNames()) {
      names.push_back(std::move(known));
    }
    std::string near = Nearest(name, names);
    Report(DiagnosticKind::kUnknownType, span, fmt::format("`{}` is no type", name), near.empty() ? "" : fmt::format("did you mean `{}`?", near));
    return {};
  }

  Node* TypeOperation(const Expr& e, Node* input, bool is, const std::string& name, Span span) {
    std::string type = QualifiedType(name, span);
    if (type.empty()) {
      return nullptr;
    }
    if (is) {
      return New(e, Op::kIs, Of("System.Boolean", input->type.required, Max::kOne), {input}, type);
    }
    if (type.starts_with("v2.")) {  // a v2 value is what the author says it is: OBX-5 as CWE
      input->type.name = type;
      return input;
    }
    return New(e, Op::kAs, Of(type, false, input->type.max), {input}, type);
  }

  static std::string Dotted(const Expr& e) {
    return e.kind == ExprKind::kMember ? Dotted(*e.kids[0]) + "." + e.text : e.text;
  }

  Node* Call(const Expr& e) {
    std::vector<const Expr*> arguments;
    for (const auto& kid : e.kids) {
      arguments.push_back(kid.get());
    }
    Node* input = nullptr;
    if (e.has_receiver) {
      input = Check(*arguments[0]);
      if (input == nullptr) {
        return nullptr;
      }
      arguments.erase(arguments.begin());
    }
    if (!scope_.pure) {
      if (Node* special = WeirCall(e, input, arguments)) {
        return special == &failed_ ? nullptr : special;
      }
    }
    if (input == nullptr) {
      input = This(e);
    }
    if ((e.text == "is" || e.text == "as") && arguments.size() == 1) {
      return TypeOperation(e, input, e.text == "is", Dotted(*arguments[0]), arguments[0]->span);
    }
    const FunctionRule* rule = FindFunction(e.text);
    if (rule == nullptr) {
      std::vector<std::string> names;
      for (const auto& known : kFunctions) {
        names.emplace_back(known.name);
      }
      std::string near = Nearest(e.text, names);
      return Report(DiagnosticKind::kUnknownFunction, e.name_span, fmt::format("no function is called `{}`", e.text),
                    near.empty() ? "" : fmt::format("did you mean `{}`?", near));
    }
    auto count = static_cast<int>(arguments.size());
    if (count < rule->min || count > rule->max) {
      return Report(DiagnosticKind::kArguments, e.name_span,
                    fmt::format("`{}` takes {}, not {}", e.text,
                                rule->min == rule->max ? fmt::format("{} argument{}", rule->min, rule->min == 1 ? "" : "s")
                                                       : fmt::format("{} to {} arguments", rule->min, rule->max),
                                count));
    }
    return Function(e, *rule, input, arguments);
  }

  Node* Function(const Expr& e, const FunctionRule& rule, Node* input, const std::vector<const Expr*>& arguments) {
    bool one = rule.input.ends_with("One");
    std::string_view wanted = one ? rule.input.substr(0, rule.input.size() - 3) : rule.input;
    if (one && input->type.max == Max::kMany && !scope_.pure) {
      return Report(DiagnosticKind::kNotSingle, e.name_span, fmt::format("`{}` takes one value, and this one may repeat", e.text),
                    "pick one by `.first()`, `.single()`, `#1` or a condition");
    }
    if (wanted != "Any" && input->type.is_v2()) {
      input = AsText(c_, input);
    } else if (input->type.is_v2() && rule.type != "Input" && rule.cardinality != "One" && wanted == "Any" && one && e.text != "iif") {
      input = AsText(c_, input);
    }
    bool unordered = input->op == Op::kCall && (input->text == "children" || input->text == "descendants");
    if (unordered && (e.text == "skip" || e.text == "take" || e.text == "tail" || e.text == "first" || e.text == "last")) {
      return Report(DiagnosticKind::kTypeMismatch, e.name_span, fmt::format("`{}` needs an order, and `{}()` has none", e.text, input->text));
    }
    if (!InputFits(wanted, input->type)) {
      return Report(DiagnosticKind::kTypeMismatch, e.name_span,
                    fmt::format("`{}` does not work on {}", e.text, TypeWords(input->type)),
                    wanted == "String"   ? "`.toString()` makes text of it"
                    : wanted == "Boolean" ? "`.exists()` asks whether something is there"
                                          : "`.toDecimal()` or `.toInteger()` makes a number of it");
    }
    std::vector<Node*> kids = {input};
    if (e.text == "ofType") {
      std::string type = QualifiedType(Dotted(*arguments[0]), arguments[0]->span);
      if (type.empty()) {
        return nullptr;
      }
      kids.push_back(TextLiteral(c_, type));
      return New(e, Op::kCall, Of(type, false, input->type.max), kids, e.text, 0);
    }
    Scope inner = Lambda(input);
    if (e.text == "iif") {
      inner.this_type = input->type;
    }
    if (e.text == "aggregate") {
      inner.total_slot = inner.this_slot;
    }
    for (size_t i = 0; i < arguments.size(); ++i) {
      bool lambda = (rule.lambda >> i & 1u) != 0;
      bool criterion = lambda && i == 0 && (e.text == "where" || e.text == "all" || e.text == "exists" || e.text == "iif");
      Scope& scope = lambda ? inner : scope_;
      Node* argument = criterion ? CheckCriterion(*arguments[i], scope) : CheckExpr(c_, *arguments[i], scope);
      if (argument == nullptr) {
        return nullptr;
      }
      if (argument->type.is_v2() && !lambda) {
        argument = AsText(c_, argument);
      }
      kids.push_back(argument);
    }
    if (rule.type == "Branches" && kids.size() > 3 && kids[2]->type.name != kids[3]->type.name) {
      for (size_t i = 2; i < 4; ++i) {
        kids[i] = kids[i]->type.is_v2() ? AsText(c_, kids[i]) : kids[i];  // branches of two kinds meet as text
      }
    }
    Type type = ResultType(rule, kids);
    return New(e, Op::kCall, type, kids, e.text, inner.this_slot);
  }

  // FHIRPath's own rule: one non-Boolean item counts as true, so pure FHIRPath accepts it; weir wants a Boolean.
  Node* CheckCriterion(const Expr& e, Scope& scope) {
    if (!scope.pure) {
      return CheckCondition(c_, e, scope);
    }
    Node* node = CheckExpr(c_, e, scope);
    if (node != nullptr && node->type.name.starts_with("System.") && node->type.name != "System.Boolean") {
      return Report(DiagnosticKind::kConditionType, e.span, fmt::format("a criterion is Boolean, this is {}", TypeWords(node->type)));
    }
    return node;
  }

  static bool InputFits(std::string_view wanted, const Type& type) {
    if (wanted == "Any" || type.name == "any" || type.max == Max::kZero || type.name.find('|') != std::string::npos ||
        type.name.starts_with("FHIR.")) {
      return true;
    }
    std::string_view name = type.name;
    if (wanted == "Boolean") {  // the standard counts a single item as true
      return name == "System.Boolean" || name == "System.Integer" || name == "System.Decimal";
    }
    if (wanted == "String") {
      return name == "System.String";
    }
    if (wanted == "Number" || wanted == "Integer" || wanted == "Decimal") {
      return name == "System.Integer" || name == "System.Decimal" || name == "System.Quantity";
    }
    return true;
  }

  Type ResultType(const FunctionRule& rule, const std::vector<Node*>& kids) {
    const Type& input = kids[0]->type;
    std::string name = "any";
    if (rule.type == "Input") {
      name = input.name;
    } else if (rule.type == "Arg0" || rule.type == "Lambda") {
      name = kids.size() > 1 ? kids[1]->type.name : "any";
    } else if (rule.type == "Arg1") {
      name = kids.size() > 2 ? kids[2]->type.name : "any";
    } else if (rule.type == "Branches") {
      name = kids.size() > 3 ? (kids[2]->type.max == Max::kZero   ? kids[3]->type.name
                                : kids[3]->type.max == Max::kZero ? kids[2]->type.name
                                                                  : Union(kids[2]->type.name, kids[3]->type.name))
                             : kids[2]->type.name;
    } else if (rule.type == "Union") {
      name = kids.size() > 1 ? Union(input.name, kids[1]->type.name) : input.name;
    } else if (rule.type == "Extension") {
      name = "FHIR.Extension";
    } else if (rule.type == "TypeInfo") {
      name = "System.TypeInfo";
    } else if (rule.type != "Any" && rule.type != "TypeArg") {
      name = "System." + std::string(rule.type);
    }
    std::string_view card = rule.cardinality;
    if (card == "One") {
      return Of(name, true, Max::kOne);
    }
    if (card == "IfInput" || card == "First") {
      return Of(name, input.required, Max::kOne);
    }
    if (card == "Maybe") {
      return Of(name, false, Max::kOne);
    }
    if (card == "Input") {
      return Of(name, input.required, input.max);
    }
    if (card == "Filter") {
      return Of(name, false, input.max);
    }
    if (card == "Branches") {
      bool both = kids.size() > 3;
      Max max = std::max(kids[2]->type.max, both ? kids[3]->type.max : Max::kZero);
      return Of(name, both && kids[2]->type.required && kids[3]->type.required, max);
    }
    return Of(name, false, Max::kMany);
  }

  // Functions of weir, and the program's own. Null: it is none of them; &failed_: reported.
  Node* WeirCall(const Expr& e, Node* input, const std::vector<const Expr*>& arguments) {
    if (input != nullptr && e.text == "isNull" && arguments.empty()) {
      return New(e, Op::kIsNull, Of("System.Boolean", true, Max::kOne), {input});
    }
    if (input != nullptr || scope_.pure) {
      return nullptr;
    }
    if (e.text == "event" && arguments.empty() && scope_.shape != nullptr) {
      return New(e, Op::kEvent, Of("System.String", true, Max::kOne));
    }
    if ((e.text == "authority" || e.text == "present") && arguments.size() == 1) {
      Node* argument = Check(*arguments[0]);
      if (argument == nullptr) {
        return &failed_;
      }
      if (e.text == "present") {
        return New(e, Op::kCall, Of("System.Boolean", true, Max::kOne), {argument}, "exists", NextLambda());
      }
      if (argument->type.max == Max::kMany) {
        Report(DiagnosticKind::kNotSingle, arguments[0]->span, "`authority` takes one `HD`, and this one may repeat",
               "pick one by `.first()`, `.single()`, `#1` or a condition");
        return &failed_;
      }
      return New(e, Op::kAuthority, Of("System.String", false, Max::kOne), {argument});
    }
    const ast::FunctionDecl* function = c_.declarations == nullptr ? nullptr : c_.declarations->Function(e.text);
    return function == nullptr ? nullptr : Inline(e, *function, arguments);
  }

  int64_t NextLambda() {
    int64_t slot = *scope_.slots;
    *scope_.slots += 3;
    return slot;
  }

  // `let` per argument, so that it is evaluated once and $this inside the body stays the caller's.
  Node* Inline(const Expr& e, const ast::FunctionDecl& function, const std::vector<const Expr*>& arguments) {
    if (arguments.size() != function.params.size()) {
      Report(DiagnosticKind::kArguments, e.name_span,
             fmt::format("`{}` takes {} argument{}, not {}", e.text, function.params.size(), function.params.size() == 1 ? "" : "s",
                         arguments.size()));
      return &failed_;
    }
    if (scope_.depth >= kMaxInlining) {
      Report(DiagnosticKind::kRecursion, e.name_span, fmt::format("`fn {}` needs itself", e.text),
             "a function is written out where it is used, so it may not come back to itself");
      return &failed_;
    }
    Scope inner = scope_;
    inner.depth = scope_.depth + 1;
    inner.variables.clear();
    std::vector<std::pair<int64_t, Node*>> bindings;
    for (size_t i = 0; i < arguments.size(); ++i) {
      Node* argument = Check(*arguments[i]);
      if (argument == nullptr) {
        return &failed_;
      }
      int64_t slot = (*scope_.slots)++;
      inner.variables.push_back({.name = function.params[i].text, .slot = slot, .type = argument->type});
      bindings.emplace_back(slot, argument);
    }
    Node* body = CheckItemValue(c_, function.body, inner);
    if (body == nullptr) {
      return &failed_;
    }
    for (auto binding = bindings.rbegin(); binding != bindings.rend(); ++binding) {
      body = New(e, Op::kLet, body->type, {binding->second, body}, "", binding->first);
    }
    return body;
  }

  Node* Binary(const Expr& e) {
    Node* left = Check(*e.kids[0]);
    Node* right = Check(*e.kids[1]);
    if (left == nullptr || right == nullptr) {
      return nullptr;
    }
    std::string op(ast::Spelling(e.op));
    const std::array<Type, 2> written = {left->type, right->type};  // before HL7 values became text
    if (op != "|" || left->type.is_v2() != right->type.is_v2()) {
      left = left->type.is_v2() ? AsText(c_, left) : left;
      right = right->type.is_v2() ? AsText(c_, right) : right;
    }
    bool logic = op == "and" || op == "or" || op == "xor" || op == "implies";
    if (logic && !scope_.pure) {
      for (int i : {0, 1}) {
        Node* side = i == 0 ? left : right;
        if (side->type.name != "System.Boolean" && side->type.name != "FHIR.boolean" && side->type.name != "any") {
          return Report(DiagnosticKind::kConditionType, e.kids[static_cast<size_t>(i)]->span,
                        fmt::format("`{}` joins conditions, this is {}", op, TypeWords(written[static_cast<size_t>(i)])),
                        "`.exists()` asks whether something is there");
        }
      }
    }
    static constexpr std::string_view kCollections[] = {"|", "in", "contains", "=", "!=", "~", "!~"};
    bool collection = std::find(std::begin(kCollections), std::end(kCollections), op) != std::end(kCollections);
    if (!collection && !scope_.pure) {
      for (int i : {0, 1}) {
        if ((i == 0 ? left : right)->type.max == Max::kMany) {
          return Report(DiagnosticKind::kNotSingle, e.kids[static_cast<size_t>(i)]->span,
                        fmt::format("`{}` takes one value on each side, and this one may repeat", op),
                        "pick one by `.first()`, `.single()`, `#1` or a condition");
        }
      }
    }
    bool required = left->type.required && right->type.required;
    if (op == "|") {
      return New(e, Op::kBinary, Of(Union(left->type.name, right->type.name), left->type.required || right->type.required, Max::kMany),
                 {left, right}, op);
    }
    if (op == "&") {
      return New(e, Op::kBinary, Of("System.String", true, Max::kOne), {left, right}, op);
    }
    bool boolean = logic || collection || op == "<" || op == "<=" || op == ">" || op == ">=";
    if (!boolean && !scope_.pure && left->type.name == "System.String" && right->type.name == "System.String" && op != "+") {
      return Report(DiagnosticKind::kTypeMismatch, e.span, fmt::format("`{}` does not work on text", op),
                    "`.toDecimal()` or `.toInteger()` makes a number of it");
    }
    if (scope_.pure && !boolean && Impossible(op, left->type, right->type)) {
      return Report(DiagnosticKind::kTypeMismatch, e.span,
                    fmt::format("`{}` does not join {} and {}", op, TypeWords(left->type), TypeWords(right->type)));
    }
    std::string type = boolean                                ? "System.Boolean"
                       : op == "/"                            ? "System.Decimal"
                       : op == "div" || op == "mod"           ? "any"
                       : left->type.name == right->type.name ? left->type.name
                                                              : "any";
    if (op == "/" && (left->type.name == "System.Quantity" || right->type.name == "System.Quantity")) {
      type = "System.Quantity";
    }
    bool certain = op == "~" || op == "!~" ? true : op == "in" || op == "contains" ? false : boolean && required;
    return New(e, Op::kBinary, Of(type, certain, Max::kOne), {left, right}, op);
  }

  // Arithmetic between kinds that never meet: a number and a Boolean, a string and a number.
  static bool Impossible(const std::string& op, const Type& left, const Type& right) {
    auto kind = [](const std::string& name) {
      if (name == "System.String") {
        return 's';
      }
      if (name == "System.Boolean") {
        return 'b';
      }
      if (name == "System.Integer" || name == "System.Decimal") {
        return 'n';
      }
      return '?';
    };
    char a = kind(left.name);
    char b = kind(right.name);
    if (a == '?' || b == '?' || op == "&") {
      return false;
    }
    return a == 'b' || b == 'b' || a != b;
  }

  const ExprContext& c_;
  Scope& scope_;
  Node failed_;
};

}  // namespace

Type Of(std::string name, bool required, Max max) { return {.name = std::move(name), .required = required, .max = max}; }

Node* TextLiteral(const ExprContext& context, std::string text) {
  return context.module.New(Op::kLiteral, Of("System.String", true, Max::kOne), {}, std::move(text));
}

std::string TypeWords(const Type& type) {
  if (type.name.starts_with("v2.segment.")) {
    return fmt::format("the segment `{}`", type.name.substr(11));
  }
  if (type.name.starts_with("v2.group.")) {
    return fmt::format("the group `{}`", type.name.substr(9));
  }
  if (type.name.starts_with("v2.")) {
    return fmt::format("HL7 `{}`", type.name.substr(3));
  }
  if (type.name.starts_with("FHIR.")) {
    return fmt::format("`{}`", type.name.substr(5));
  }
  if (type.name.starts_with("System.")) {
    return fmt::format("`{}`", type.name.substr(7));
  }
  return type.max == Max::kZero ? "nothing" : "a value of several types";
}

Node* CheckExpr(const ExprContext& context, const ast::Expr& expr, Scope& scope) { return Checker(context, scope).Check(expr); }

Node* CheckCondition(const ExprContext& context, const ast::Expr& expr, Scope& scope) {
  Node* node = CheckExpr(context, expr, scope);
  if (node == nullptr) {
    return nullptr;
  }
  const std::string& name = node->type.name;
  if (name != "System.Boolean" && name != "FHIR.boolean" && name != "any") {
    context.sink.Report(DiagnosticKind::kConditionType, expr.span, fmt::format("a condition is true or false, this is {}", TypeWords(node->type)),
                        "`.exists()` asks whether something is there");
    return nullptr;
  }
  return node;
}

Node* CheckRequirement(const ExprContext& context, const ast::Expr& expr, Scope& scope) {
  Node* node = CheckExpr(context, expr, scope);
  if (node == nullptr || node->type.name == "System.Boolean") {
    return node;
  }
  int64_t slot = *scope.slots;
  *scope.slots += 3;
  return context.module.New(Op::kCall, Of("System.Boolean", true, Max::kOne), {node}, "exists", slot, expr.span);
}

Node* CheckFhirPath(const ExprContext& context, const ast::Expr& expr, const std::string& root_type, int64_t* slots) {
  Scope scope;
  scope.root_type = root_type;
  scope.this_type = root_type.empty() ? Of("any", false, Max::kOne) : Of("FHIR." + root_type, true, Max::kOne);
  scope.slots = slots;
  scope.pure = true;
  return CheckExpr(context, expr, scope);
}

Node* FirstNonEmpty(const ExprContext& context, Node* a, Node* b) {
  std::string type = a->type.name == b->type.name ? a->type.name : "any";
  Node* both = context.module.New(Op::kCall, Of(type, a->type.required || b->type.required, Max::kMany), {a, b}, "combine", 0, a->span);
  return context.module.New(Op::kCall, Of(type, both->type.required, Max::kOne), {both}, "first", 0, a->span);
}

Node* CheckItemValue(const ExprContext& context, const ast::Item& item, Scope& scope) {
  Node* value = nullptr;
  for (const auto& alternative : item.alternatives) {
    if (alternative.expr == nullptr) {
      context.sink.Report(DiagnosticKind::kTypeMismatch, alternative.span, "`absent` stands only where an element is written");
      return nullptr;
    }
    Node* node = CheckExpr(context, *alternative.expr, scope);
    if (node == nullptr) {
      return nullptr;
    }
    if (!alternative.via_table.empty()) {
      if (context.declarations == nullptr || context.declarations->Table(alternative.via_table.text) == nullptr) {
        std::string near = context.declarations == nullptr
                               ? "" : Nearest(alternative.via_table.text, context.declarations->NamesOf(ast::DeclKind::kTable));
        context.sink.Report(DiagnosticKind::kUnknownDeclaration, alternative.via_table.span,
                            fmt::format("no table `{}` is declared", alternative.via_table.text),
                            near.empty() ? "" : fmt::format("did you mean `{}`?", near));
        return nullptr;
      }
      node = context.module.New(Op::kLookup, Of("System.String", false, node->type.max), {AsText(context, node)},
                                context.declarations->Table(alternative.via_table.text)->name.text, 0, alternative.span);
    }
    if (item.alternatives.size() > 1) {
      if (node->type.max == Max::kMany) {
        context.sink.Report(DiagnosticKind::kNotSingle, alternative.span, "each alternative of `else` is one value, and this one may repeat",
                            "pick one by `.first()`, `.single()`, `#1` or a condition");
        return nullptr;
      }
      node = AsText(context, node);
    }
    value = value == nullptr ? node : FirstNonEmpty(context, value, node);
  }
  return value;
}

Node* AsText(const ExprContext& context, Node* node) {
  if (node->type.name == "System.String") {
    return node;
  }
  if (node->type.is_v2()) {
    return context.module.New(Op::kText, Of("System.String", node->type.required, node->type.max), {node}, {}, 0, node->span);
  }
  if (node->type.max == Max::kZero || node->type.name == "any" || node->type.name == "FHIR.string" || node->type.name == "FHIR.code") {
    return node;
  }
  return context.module.New(Op::kCall, Of("System.String", node->type.required, Max::kOne), {node}, "toString", 0, node->span);
}

}  // namespace weir::check
