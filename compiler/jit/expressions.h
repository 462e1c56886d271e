// FHIRPath expressions -> native code in this process.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "compiler/jit/jit.h"
#include "compiler/lower/lower.h"
#include "runtime/abi/weir_expression.h"

namespace weir::jit {

// Owns the code. Reentrant: all state is in the caller's buffers.
class Expressions {
 public:
  struct State;
  explicit Expressions(std::unique_ptr<State> state);
  ~Expressions();
  // Null where the expression could not be lowered; then `refused` says why.
  weir_expression_fn at(size_t expression) const;
  const std::string& refused(size_t expression) const;

 private:
  std::unique_ptr<State> state_;
};

Result<std::unique_ptr<Expressions>> JitExpressions(const ir::Module& module, const std::vector<lower::Expression>& expressions, const lower::KnownType& known_type,
                                                    const JitOptions& options);

}  // namespace weir::jit
