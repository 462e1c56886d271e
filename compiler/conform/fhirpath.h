// FHIRPath written by the compiler: what a StructureDefinition says in columns, as the expression
// it means.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "compiler/syntax/ast.h"

namespace weir::conform::fhirpath {

inline ast::ExprPtr Make(ast::ExprKind kind, std::string text = {}) {
  auto e = std::make_unique<ast::Expr>();
  e->kind = kind;
  e->text = std::move(text);
  return e;
}
inline ast::ExprPtr This() { return Make(ast::ExprKind::kThis); }
inline ast::ExprPtr Name(std::string name) { return Make(ast::ExprKind::kName, std::move(name)); }
inline ast::ExprPtr String(std::string text) {
  return Make(ast::ExprKind::kString, std::move(text));
}
inline ast::ExprPtr Integer(uint32_t number) {
  return Make(ast::ExprKind::kInteger, std::to_string(number));
}
inline ast::ExprPtr Boolean(bool value) {
  return Make(ast::ExprKind::kBoolean, value ? "true" : "false");
}
inline ast::ExprPtr Member(ast::ExprPtr of, std::string name) {
  auto e = Make(ast::ExprKind::kMember, std::move(name));
  e->kids.push_back(std::move(of));
  return e;
}
inline ast::ExprPtr Call(ast::ExprPtr receiver, std::string function,
                         ast::ExprPtr argument = nullptr) {
  auto e = Make(ast::ExprKind::kCall, std::move(function));
  e->has_receiver = true;
  e->kids.push_back(std::move(receiver));
  if (argument != nullptr) {
    e->kids.push_back(std::move(argument));
  }
  return e;
}
// `implicit`: what a definition says of every element, so that a claim may ask it of more of them
// (Holds, `strengthen`).
inline ast::ExprPtr All(ast::ExprPtr receiver, ast::ExprPtr condition) {
  auto e = Call(std::move(receiver), "all", std::move(condition));
  e->implicit = true;
  return e;
}
inline ast::ExprPtr Binary(ast::Operator op, ast::ExprPtr left, ast::ExprPtr right) {
  auto e = Make(ast::ExprKind::kBinary);
  e->op = op;
  e->kids.push_back(std::move(left));
  e->kids.push_back(std::move(right));
  return e;
}
// Null stands for true.
inline ast::ExprPtr And(ast::ExprPtr a, ast::ExprPtr b) {
  return a == nullptr   ? std::move(b)
         : b == nullptr ? std::move(a)
                        : Binary(ast::Operator::kAnd, std::move(a), std::move(b));
}
inline ast::ExprPtr Or(ast::ExprPtr a, ast::ExprPtr b) {
  return a == nullptr   ? std::move(b)
         : b == nullptr ? std::move(a)
                        : Binary(ast::Operator::kOr, std::move(a), std::move(b));
}
inline ast::ExprPtr Is(ast::ExprPtr of, std::string type) {
  auto e = Make(ast::ExprKind::kTypeOp, std::move(type));
  e->op = ast::Operator::kIs;
  e->kids.push_back(std::move(of));
  return e;
}
inline ast::ExprPtr Copy(const ast::Expr& from) {
  auto e = Make(from.kind, from.text);
  e->op = from.op;
  e->implicit = from.implicit;
  e->has_receiver = from.has_receiver;
  e->unit_is_word = from.unit_is_word;
  e->number = from.number;
  e->value = from.value;
  for (const ast::ExprPtr& kid : from.kids) {
    e->kids.push_back(Copy(*kid));
  }
  return e;
}

}  // namespace weir::conform::fhirpath
