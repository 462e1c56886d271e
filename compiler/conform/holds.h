// Whether a FHIRPath condition holds of what an emission writes, as a condition over the source:
// the expression is evaluated over `Written`, with three-valued logic kept as two formulas (true,
// false; neither: empty).
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "compiler/conform/written.h"
#include "compiler/syntax/ast.h"

namespace weir::conform {

struct Answer {
  std::optional<Formula>
      holds;  // none: the expression asks for something that cannot be said over the source
  Formula rejected = Never();  // or the record is rejected, for what was asked about is refused
  std::string asks;            // what that is: "`descendants`"
  bool touched = false;        // it met something that is written
};

// The module's table of a value set's codes, by "SYSTEM|CODE" (`with_system`) or by code; "" when
// it cannot be listed.
using ValueSetTable = std::function<std::string(const std::string& url, bool with_system)>;

// `context` is what the expression is about and is taken to be there; `resource` is the whole.
// `strengthen`: the answer may be a shorter condition under which the expression holds, and need
// not hold wherever it does.
Answer Holds(Written& written, const ValueSetTable& value_set, const ast::Expr& expr,
             const Piece& context, const Piece& resource, bool strengthen = false);

}  // namespace weir::conform
