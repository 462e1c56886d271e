// Paths of HL7 v2: segments, fields, components, groups and repetitions, typed against the accepted structures and
// versions. A path is typed by the highest accepted version that still has it, and repeats if it does in any of them.
#pragma once

#include "compiler/check/expr.h"

namespace weir::check {

// The first name of a path: a segment, a group, or (inside a data type map) a component of $this.
ir::Node* V2Name(const ExprContext& context, Scope& scope, const ast::Expr& expr);
ir::Node* V2Field(const ExprContext& context, Scope& scope, const ast::Expr& expr, ir::Node* base);
ir::Node* V2Step(const ExprContext& context, Scope& scope, const ast::Expr& expr, ir::Node* input);
ir::Node* V2Repetition(const ExprContext& context, const ast::Expr& expr, ir::Node* input);
ir::Node* V2Member(const ExprContext& context, Scope& scope, const ast::Expr& expr, ir::Node* input);
// `authority east`, `type MR`: a condition over scope's $this, one repetition of `input`.
ir::Node* V2Criterion(const ExprContext& context, Scope& scope, const ast::Expr& expr, ir::Node* input);

}  // namespace weir::check
