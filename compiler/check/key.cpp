// Keys: what identifies a resource, as a map's `key` or a keyspace says it.
#include <fmt/format.h>

#include <algorithm>

#include "compiler/check/declarations.h"
#include "compiler/check/expr.h"

namespace weir::check {
namespace {

// The first keyspace of the chain of `within` that comes again; null when it ends.
const ast::KeyspaceDecl* Circle(const Declarations& declarations, const ast::KeyspaceDecl& keyspace) {
  std::vector<const ast::KeyspaceDecl*> chain;
  for (const ast::KeyspaceDecl* at = &keyspace; at != nullptr; at = at->within.empty() ? nullptr : declarations.Keyspace(at->within.text)) {
    if (std::find(chain.begin(), chain.end(), at) != chain.end()) {
      return at;
    }
    chain.push_back(at);
  }
  return nullptr;
}

}  // namespace

Scope KeyScope(const Scope& scope) {
  Scope around;
  around.shape = scope.shape;
  around.this_type = Of("v2.message", true, ir::Max::kOne);
  around.groups = scope.groups;
  around.slots = scope.slots;
  around.depth = scope.depth;
  return around;
}

ir::Node* CheckKey(const ExprContext& context, const std::string& text, const std::vector<ast::Item>& items, const ast::Name& within,
                   Scope& scope) {
  std::vector<ir::Node*> parts;
  if (!within.empty()) {
    const ast::KeyspaceDecl* outer = context.declarations->Keyspace(within.text);
    if (outer == nullptr) {
      std::string near = Nearest(within.text, context.declarations->NamesOf(ast::DeclKind::kKeyspace));
      context.sink.Report(DiagnosticKind::kUnknownDeclaration, within.span, fmt::format("no keyspace `{}` is declared", within.text),
                          near.empty() ? "" : fmt::format("did you mean `{}`?", near));
      return nullptr;
    }
    Scope around = KeyScope(scope);
    ir::Node* key = CheckKeyspace(context, *outer, around);
    if (key == nullptr) {
      return nullptr;
    }
    parts.push_back(key);
  }
  for (const auto& item : items) {
    ir::Node* part = CheckItemValue(context, item, scope);
    if (part == nullptr) {
      return nullptr;
    }
    if (!part->type.single()) {
      context.sink.Report(DiagnosticKind::kTooMany, item.span, "a key part takes one value, this may repeat",
                          "pick one: `.first()`, `.single()`, `#1` or a condition in brackets");
      return nullptr;
    }
    parts.push_back(AsText(context, part));
  }
  bool required = std::all_of(parts.begin(), parts.end(), [](const ir::Node* part) { return part->type.required; });
  return context.module.New(ir::Op::kKey, Of("System.String", required, ir::Max::kOne), std::move(parts), text, within.empty() ? 0 : 1);
}

ir::Node* CheckKeyspace(const ExprContext& context, const ast::KeyspaceDecl& keyspace, Scope& scope) {
  if (const ast::KeyspaceDecl* circle = Circle(*context.declarations, keyspace)) {
    context.sink.Report(DiagnosticKind::kRecursion, circle->within.span, fmt::format("keyspace `{}` is within itself", circle->name.text),
                        "a key is made of finitely many parts: let one of the keyspaces stand alone");
    return nullptr;
  }
  return CheckKey(context, keyspace.type.text + "/" + keyspace.name.text, keyspace.parts, keyspace.within, scope);
}

}  // namespace weir::check
