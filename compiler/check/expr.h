// Typed expressions: ast::Expr -> ir::Node with static type and cardinality, or a diagnostic and null. FHIRPath in full,
// over FHIR types and over HL7 v2 paths. v2 values become text explicitly, by a `text` node written here.
#pragma once

#include <optional>
#include <string>

#include "compiler/check/scope.h"
#include "compiler/syntax/ast.h"

namespace weir::check {

class Declarations;  // names of the program: functions, keyspaces, tables, authorities

struct ExprContext {
  const fhir::TypeTable& types;
  const fhir::V2Table& v2;
  ir::Module& module;
  DiagnosticSink& sink;
  const Declarations* declarations = nullptr;  // null: none
};

// Null after an error, which was reported.
ir::Node* CheckExpr(const ExprContext& context, const ast::Expr& expr, Scope& scope);
// A Boolean; what is none is an error. Empty is false where it is used.
ir::Node* CheckCondition(const ExprContext& context, const ast::Expr& expr, Scope& scope);
// For `require`: a Boolean as it is, anything else means present.
ir::Node* CheckRequirement(const ExprContext& context, const ast::Expr& expr, Scope& scope);
// `[each] E [via T] else …` as a value: the first alternative that is not empty.
ir::Node* CheckItemValue(const ExprContext& context, const ast::Item& item, Scope& scope);

// The id of a resource: of `items`, `within` (may be empty) a keyspace. `text`: "Type/keyspace". (key.cpp)
ir::Node* CheckKey(const ExprContext& context, const std::string& text, const std::vector<ast::Item>& items, const ast::Name& within,
                   Scope& scope);
ir::Node* CheckKeyspace(const ExprContext& context, const ast::KeyspaceDecl& keyspace, Scope& scope);
// A keyspace is read of the message; inside a group, of the group where it holds the segments.
Scope KeyScope(const Scope& scope);

// One expression of pure FHIRPath over a FHIR resource type (empty: no context). `slots`: how many it uses.
ir::Node* CheckFhirPath(const ExprContext& context, const ast::Expr& expr, const std::string& root_type, int64_t* slots);

// The text of a value: v2 items unescaped, FHIR and System values by their string form.
ir::Node* AsText(const ExprContext& context, ir::Node* node);

// How names are built, so that every part of the checker says a type the same way.
ir::Type Of(std::string name, bool required, ir::Max max);
ir::Node* TextLiteral(const ExprContext& context, std::string text);
ir::Node* FirstNonEmpty(const ExprContext& context, ir::Node* a, ir::Node* b);
// In the author's words: "`string`", "HL7 `CX`".
std::string TypeWords(const ir::Type& type);

}  // namespace weir::check
