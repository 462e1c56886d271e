// A package on disk -> the kernel in this process.
#pragma once

#include <memory>
#include <string>

#include "runtime/abi/weir_kernel.h"
#include "runtime/base/result.h"
#include "runtime/package/package.h"

namespace weir::node {

class LoadedKernel {
 public:
  virtual ~LoadedKernel() = default;
  virtual const weir_kernel* kernel() const = 0;
};

// A `.weirpkg` (runtime/package), or a shared object `.so` that exports `weir_kernel_v1`: what a
// package wraps, without a signature.
Result<std::unique_ptr<LoadedKernel>> LoadKernel(const std::string& path,
                                                 const package::Trust& trust);

}  // namespace weir::node
