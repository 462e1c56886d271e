// IR -> native code in this process, through an on-disk cache of objects keyed by IR text, helpers, compiler and CPU.
#pragma once

#include <memory>
#include <string>

#include "compiler/ir/ir.h"
#include "runtime/abi/weir_kernel.h"
#include "runtime/base/result.h"

namespace weir::jit {

struct JitOptions {
  std::string cache_dir;  // empty: no cache
  bool optimize = true;
  bool sanitize = false;  // the calling process must carry the ASan runtime
};

// Owns the code; `kernel()` lives as long as it. Kernels are reentrant: all state is in the caller's buffers.
class Kernel {
 public:
  struct State;
  explicit Kernel(std::unique_ptr<State> state);
  ~Kernel();
  const weir_kernel* kernel() const;
  bool from_cache() const;

 private:
  std::unique_ptr<State> state_;
};

Result<std::unique_ptr<Kernel>> Jit(const ir::Module& module, const JitOptions& options);

}  // namespace weir::jit
