#include "tests/differential/fhirpath/untyped.h"

#include <optional>

namespace weir::fhirpath_suite {
namespace {

using ast::Expr;
using ast::ExprKind;
using ir::Node;
using ir::Op;

std::optional<unsigned> LambdaMask(std::string_view name) {
#define WEIR_FHIRPATH_FUNCTION(function, min, max, lambda, ...) \
  if (name == #function) {                                      \
    return lambda;                                              \
  }
#include "compiler/ir/functions.def"
#undef WEIR_FHIRPATH_FUNCTION
  return std::nullopt;
}

class Lowerer {
 public:
  Lowerer(std::string_view root_type, const ir::TypeModel& types, ir::Module& module,
          int64_t first_slot)
      : root_type_(root_type), types_(types), module_(module), slots_(first_slot) {}

  Node* Lower(const Expr& e, int64_t self) {
    switch (e.kind) {
      case ExprKind::kEmpty:
        return New(Op::kEmpty);
      case ExprKind::kBoolean:
        return Literal("System.Boolean", e.text);
      case ExprKind::kString:
        return Literal("System.String", e.text);
      case ExprKind::kInteger:
        return Literal("System.Integer", e.text);
      case ExprKind::kDecimal:
        return Literal("System.Decimal", e.text);
      case ExprKind::kDate:
        return Literal("System.Date", e.text);
      case ExprKind::kDateTime:
        return Literal("System.DateTime", e.text);
      case ExprKind::kTime:
        return Literal("System.Time", e.text);
      case ExprKind::kQuantity:
        return Literal("System.Quantity",
                       e.text + (e.unit_is_word ? " " + e.value : " '" + e.value + "'"));
      case ExprKind::kThis:
        return This(self);
      case ExprKind::kIndexVar:
        return New(Op::kVar, {}, "", self + 1);
      case ExprKind::kTotal:
        return New(Op::kVar, {}, "", total_ + 2);
      case ExprKind::kEnv:
        return New(Op::kEnv, {}, e.text);
      case ExprKind::kName:
        // A leading type name is the context itself.
        if (types_.Exists(e.text) && !e.text.empty() && e.text[0] >= 'A' && e.text[0] <= 'Z') {
          return e.text == root_type_ || types_.IsSubtype(root_type_, e.text) ? This(self)
                                                                              : New(Op::kEmpty);
        }
        return New(Op::kChild, {This(self)}, e.text);
      case ExprKind::kMember:
        return New(Op::kChild, {Lower(*e.kids[0], self)}, e.text);
      case ExprKind::kIndex:
        return New(Op::kIndex, {Lower(*e.kids[0], self), Lower(*e.kids[1], self)});
      case ExprKind::kCall:
        return Call(e, self);
      case ExprKind::kUnary:
        return New(Op::kUnary, {Lower(*e.kids[0], self)}, std::string(ast::Spelling(e.op)));
      case ExprKind::kBinary:
        return New(Op::kBinary, {Lower(*e.kids[0], self), Lower(*e.kids[1], self)},
                   std::string(ast::Spelling(e.op)));
      case ExprKind::kTypeOp:
        return New(e.op == ast::Operator::kIs ? Op::kIs : Op::kAs, {Lower(*e.kids[0], self)},
                   Type(e.text));
      default:
        return Fail("not FHIRPath");
    }
  }

  const std::string& error() const { return error_; }
  int64_t slots() const { return slots_; }

 private:
  Node* New(Op op, std::vector<Node*> kids = {}, std::string text = {}, int64_t number = 0) {
    return module_.New(op, {}, std::move(kids), std::move(text), number);
  }
  Node* Literal(const char* type, std::string text) {
    return module_.New(Op::kLiteral, {type}, {}, std::move(text));
  }
  Node* This(int64_t self) { return self < 0 ? New(Op::kMessage) : New(Op::kVar, {}, "", self); }
  Node* Fail(std::string why) {
    error_ = error_.empty() ? std::move(why) : error_;
    return New(Op::kEmpty);
  }

  std::string Type(const std::string& name) {
    std::string_view bare = name;
    if (bare.starts_with("System.")) {
      return name;
    }
    bare = bare.starts_with("FHIR.") ? bare.substr(5) : bare;
    for (std::string_view system :
         {"Boolean", "String", "Integer", "Decimal", "Date", "DateTime", "Time"}) {
      if (bare == system) {
        return "System." + name;
      }
    }
    if (!types_.Exists(bare)) {
      Fail("unknown type");
    }
    return "FHIR." + std::string(bare);
  }
  static std::string Dotted(const Expr& e) {
    return e.kind == ExprKind::kMember ? Dotted(*e.kids[0]) + "." + e.text : e.text;
  }

  Node* Call(const Expr& e, int64_t self) {
    std::vector<const Expr*> arguments;
    for (const ast::ExprPtr& kid : e.kids) {
      arguments.push_back(kid.get());
    }
    Node* input = nullptr;
    if (e.has_receiver) {
      input = Lower(*arguments[0], self);
      arguments.erase(arguments.begin());
    } else {
      input = This(self);
    }
    if ((e.text == "is" || e.text == "as") && arguments.size() == 1) {
      return New(e.text == "is" ? Op::kIs : Op::kAs, {input}, Type(Dotted(*arguments[0])));
    }
    auto mask = LambdaMask(e.text);
    if (!mask) {
      return Fail("unknown function");
    }
    std::vector<Node*> kids = {input};
    if (e.text == "ofType" && arguments.size() == 1) {
      kids.push_back(Literal("System.String", Type(Dotted(*arguments[0]))));
      return New(Op::kCall, kids, e.text, slots_);
    }
    int64_t slot = slots_;
    slots_ += 3;
    int64_t outer_total = total_;
    if (e.text == "aggregate") {
      total_ = slot;
    }
    for (size_t i = 0; i < arguments.size(); ++i) {
      bool lambda = (*mask >> i & 1u) != 0;
      kids.push_back(Lower(*arguments[i], lambda ? slot : self));
    }
    total_ = outer_total;
    return New(Op::kCall, kids, e.text, slot);
  }

  std::string_view root_type_;
  const ir::TypeModel& types_;
  ir::Module& module_;
  int64_t slots_, total_ = 0;
  std::string error_;
};

}  // namespace

Result<ir::Node*> LowerUntyped(const ast::Expr& expression, std::string_view root_type,
                               const ir::TypeModel& types, ir::Module& module,
                               int64_t* slot_count) {
  Lowerer lowerer(root_type, types, module, 0);
  Node* node = lowerer.Lower(expression, -1);
  *slot_count = lowerer.slots();
  if (!lowerer.error().empty()) {
    return Error{lowerer.error()};
  }
  return node;
}

Result<ir::Node*> LowerInvariant(const ast::Expr& expression, const ir::TypeModel& types,
                                 ir::Module& module, int64_t* slot_count) {
  Lowerer lowerer("", types, module, 3);
  Node* node = lowerer.Lower(expression, 0);
  *slot_count = lowerer.slots();
  if (!lowerer.error().empty()) {
    return Error{lowerer.error()};
  }
  return node;
}

}  // namespace weir::fhirpath_suite
