// An engine is whatever runs a compiled source on a record: a JIT kernel, an AOT kernel, the
// interpreter, a fake in tests.
#pragma once

#include "runtime/abi/weir_kernel.h"
#include "runtime/base/result.h"
#include "runtime/hub/manifest.h"

namespace weir::ingest {

class Engine {
 public:
  virtual ~Engine() = default;
  virtual weir_status Probe(const weir_input& input, const weir_snapshot& snapshot,
                            weir_output* output, weir_probe* probe) = 0;
  virtual weir_status Transform(uint32_t feed, const weir_input& input,
                                const weir_snapshot& snapshot, weir_output* output) = 0;
  virtual const hub::Manifest& manifest() const = 0;
};

// Over the function pointers of a kernel, which must outlive it.
class KernelEngine final : public Engine {
 public:
  static Result<KernelEngine> Create(const weir_kernel* kernel);
  weir_status Probe(const weir_input& input, const weir_snapshot& snapshot, weir_output* output,
                    weir_probe* probe) override {
    return kernel_->probe(&input, &snapshot, output, probe);
  }
  weir_status Transform(uint32_t feed, const weir_input& input, const weir_snapshot& snapshot,
                        weir_output* output) override {
    return kernel_->transform(feed, &input, &snapshot, output);
  }
  const hub::Manifest& manifest() const override { return manifest_; }

 private:
  KernelEngine(const weir_kernel* kernel, hub::Manifest manifest)
      : kernel_(kernel), manifest_(std::move(manifest)) {}
  const weir_kernel* kernel_;
  hub::Manifest manifest_;
};

}  // namespace weir::ingest
