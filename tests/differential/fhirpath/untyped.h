// A front end for the suite that checks no types: AST to IR, name by name. It lets the interpreter
// be judged without the checker, and the checker be judged against it: where both accept, both
// trees must evaluate alike.
#pragma once

#include "compiler/ir/interp/interp.h"
#include "compiler/syntax/ast.h"
#include "runtime/base/result.h"

namespace weir::fhirpath_suite {

Result<ir::Node*> LowerUntyped(const ast::Expr& expression, std::string_view root_type,
                               const ir::TypeModel& types, ir::Module& module, int64_t* slot_count);

// The same for an invariant: $this is in slot 0, the root resource is %resource.
Result<ir::Node*> LowerInvariant(const ast::Expr& expression, const ir::TypeModel& types,
                                 ir::Module& module, int64_t* slot_count);

}  // namespace weir::fhirpath_suite
