#include "compiler/jit/expressions.h"

#include <llvm/ExecutionEngine/Orc/LLJIT.h>
#include <llvm/Support/TargetSelect.h>

namespace weir::jit {

struct Expressions::State {
  std::unique_ptr<llvm::orc::LLJIT> jit;
  const weir_expressions* table = nullptr;
  std::vector<std::string> refused;
};

Expressions::Expressions(std::unique_ptr<State> state) : state_(std::move(state)) {}
Expressions::~Expressions() = default;
weir_expression_fn Expressions::at(size_t expression) const {
  return expression < state_->table->count ? state_->table->expressions[expression] : nullptr;
}
const std::string& Expressions::refused(size_t expression) const { return state_->refused[expression]; }

Result<std::unique_ptr<Expressions>> JitExpressions(const ir::Module& module, const std::vector<lower::Expression>& expressions, const lower::KnownType& known_type,
                                                    const JitOptions& options) {
  lower::LowerOptions how;
  how.cpu = "native";
  how.optimize = options.optimize;
  how.sanitize = options.sanitize;
  auto compiled = lower::CompileExpressions(module, expressions, known_type, how);
  if (!compiled) {
    return compiled.error();
  }
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  auto jit = llvm::orc::LLJITBuilder().create();
  if (!jit) {
    return Error{"the JIT does not start: " + llvm::toString(jit.takeError())};
  }
  auto state = std::make_unique<Expressions::State>();
  state->jit = std::move(*jit);
  state->refused = std::move(compiled->refused);
  if (auto error = state->jit->addObjectFile(llvm::MemoryBuffer::getMemBufferCopy(compiled->object, "expressions"))) {
    return Error{"the expressions do not load: " + llvm::toString(std::move(error))};
  }
  auto symbol = state->jit->lookup("weir_expressions_v1");
  if (!symbol) {
    return Error{"the expressions do not link: " + llvm::toString(symbol.takeError())};
  }
  state->table = symbol->toPtr<const weir_expressions*>();
  return std::make_unique<Expressions>(std::move(state));
}

}  // namespace weir::jit
