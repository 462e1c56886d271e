#include "compiler/syntax/ast.h"

#include <array>

namespace weir::ast {
namespace {

constexpr std::array kKindNames = {
#define WEIR_EXPR_KIND(name) std::string_view(#name),
#include "compiler/syntax/expr_kinds.def"
#undef WEIR_EXPR_KIND
};

constexpr std::array kSpellings = {
#define WEIR_OPERATOR(name, spelling) std::string_view(spelling),
#include "compiler/syntax/operators.def"
#undef WEIR_OPERATOR
};

}  // namespace

std::string_view KindName(ExprKind kind) { return kKindNames[static_cast<size_t>(kind)]; }
std::string_view Spelling(Operator op) { return kSpellings[static_cast<size_t>(op)]; }

std::string Print(const Expr& expr) {
  std::string out = "(";
  out += KindName(expr.kind).substr(1);
  if (expr.op != Operator::kNone) {
    out += " " + std::string(Spelling(expr.op));
  }
  if (expr.has_receiver) {
    out += " .";
  }
  if (!expr.text.empty()) {
    out += " " + expr.text;
  }
  if (!expr.value.empty()) {
    out += " '" + expr.value + "'";
  }
  if (expr.number != 0) {
    out += " #" + std::to_string(expr.number);
  }
  for (const ExprPtr& kid : expr.kids) {
    out += " " + Print(*kid);
  }
  return out + ")";
}

}  // namespace weir::ast
