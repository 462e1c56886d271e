// ir::Module -> LLVM module: one self-contained kernel that exports `weir_kernel_v1`. Helpers come as embedded bitcode
// (runtime/kernel), are linked in, internalised and inlined. LLVM types stay behind this header.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "compiler/ir/ir.h"
#include "runtime/base/result.h"

namespace weir::lower {

struct LowerOptions {
  std::string triple;       // empty: this host
  std::string cpu;          // empty: the target's baseline; "native": this host's
  bool optimize = true;     // of the code generator; false: a third of the time, half the speed
  bool sanitize = false;    // LLVM's ASan pass over generated code and helpers (in-process only)
};

// A relocatable object of the kernel. An operation that cannot be lowered yet is an error that names it.
Result<std::string> CompileObject(const ir::Module& module, const LowerOptions& options);

// Pure FHIRPath over a FHIR resource, as check::CheckFhirPath makes it.
struct Expression {
  const ir::Node* node = nullptr;
  int64_t slot_count = 0;
};
struct ExpressionObject {
  std::string object;                // exports weir_expressions_v1 (runtime/abi/weir_expression.h)
  std::vector<std::string> refused;  // by expression: the operation that cannot be lowered, or ""
};
// Whether FHIR has a type of this name; `conformsTo` asks. Null: it is not lowered.
using KnownType = std::function<bool(const std::string&)>;
// One object of all expressions. Nothing is folded: what is constant is computed by the code all the same.
Result<ExpressionObject> CompileExpressions(const ir::Module& module, const std::vector<Expression>& expressions, const KnownType& known_type,
                                            const LowerOptions& options);

// The optimised or raw LLVM text, for `weir build --dump-after lower|llvm`.
Result<std::string> DumpLlvm(const ir::Module& module, const LowerOptions& options);

// What a cached object depends on besides the module: LLVM's version and the helpers' bitcode.
std::string ToolchainKey();

}  // namespace weir::lower
