#include "runtime/ingest/engine.h"

namespace weir::ingest {

Result<KernelEngine> KernelEngine::Create(const weir_kernel* kernel) {
  if (kernel == nullptr || kernel->abi_version != WEIR_ABI_VERSION ||
      kernel->struct_size < sizeof(weir_kernel)) {
    return Error{"the kernel was built for another version of weir"};
  }
  auto manifest = hub::ParseManifest({kernel->manifest_json, kernel->manifest_size});
  if (!manifest) {
    return manifest.error();
  }
  return KernelEngine(kernel, std::move(*manifest));
}

}  // namespace weir::ingest
