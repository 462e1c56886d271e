// IR -> native code in this process, through an on-disk cache of objects keyed by IR text, helpers, compiler and CPU.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>

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

// What makes the module, asked only when the cache does not do; null: it does not compile. The module must
// outlive the kernel.
using ModuleSource = std::function<const ir::Module*()>;

// Starts on code that is quickly made, and moves to optimised code when the work turns out to be long: that is made in a
// thread of its own and kept in the cache, from which the next start takes it at once.
class TieredKernel {
 public:
  // `key` stands for everything the module is made of; with a cache, equal keys need no module.
  static Result<std::unique_ptr<TieredKernel>> Start(ModuleSource source, const std::string& key, const JitOptions& options);
  ~TieredKernel();
  const weir_kernel* kernel() const { return kernel_.load(std::memory_order_acquire); }
  // One unit of work was done; past a threshold the optimised code is made.
  void Count();

 private:
  explicit TieredKernel(ModuleSource source, JitOptions options) : source_(std::move(source)), options_(std::move(options)) {}

  ModuleSource source_;
  JitOptions options_;
  std::string key_;
  std::unique_ptr<Kernel> quick_, optimised_;
  std::atomic<const weir_kernel*> kernel_ = nullptr;
  uint64_t count_ = 0;
  std::thread thread_;
};

Result<std::unique_ptr<Kernel>> Jit(const ir::Module& module, const JitOptions& options);

}  // namespace weir::jit
