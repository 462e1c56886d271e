// One program in three executors: the interpreter (the oracle), JIT code and the ahead-of-time kernel of a package. Every
// record is run by all and must come out as the same bytes.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/ir/interp/interp.h"
#include "compiler/jit/jit.h"
#include "runtime/package/package.h"
#include "runtime/v2/reader.h"

namespace weir::engines {

// A message whose 64 bytes of padding end where readable memory ends: a byte too far is a fault in every build.
class GuardedMessage {
 public:
  explicit GuardedMessage(std::string_view message);
  ~GuardedMessage();
  GuardedMessage(const GuardedMessage&) = delete;
  GuardedMessage& operator=(const GuardedMessage&) = delete;
  const uint8_t* bytes() const { return bytes_; }
  uint32_t size() const { return size_; }

 private:
  uint8_t* pages_ = nullptr;
  size_t mapped_ = 0;
  const uint8_t* bytes_ = nullptr;
  uint32_t size_ = 0;
};

// What one engine says of a record: probe, status, site, counters and contributions, as text.
struct Outcome {
  std::string text;
  weir_status status = WEIR_OK;
  uint32_t resources = 0;
};

struct Comparison {
  bool read = false;            // the reader took the message
  std::optional<std::string> differs;  // the engine that disagrees, if any
  Outcome oracle, other;        // of the engine that disagrees
};

class Engines {
 public:
  struct Options {
    bool quick = true;    // unoptimised JIT code
    bool package = true;  // through a .weirpkg file
  };
  // `module` must outlive it. An error is the code generator's.
  static Result<std::unique_ptr<Engines>> Make(const ir::Module& module, const Options& options);
  Comparison Compare(std::string_view message);

 private:
  Engines(const ir::Module& module);
  template <typename Probe, typename Transform>
  Outcome Run(Probe probe, Transform transform);
  weir_output Output();
  std::string At(uint32_t offset, uint32_t size) const;

  ir::InterpretedKernel interp_;
  std::unique_ptr<jit::Kernel> optimised_, quick_;
  std::unique_ptr<package::Package> package_;
  std::vector<std::pair<std::string, const weir_kernel*>> kernels_;
  weir_snapshot snapshot_{sizeof(weir_snapshot), {}, nullptr, 0};
  std::unique_ptr<uint8_t[]> bytes_, scratch_;
  std::vector<weir_contribution> items_;
  std::vector<weir_key> keys_;
};

// `message` with one to five bytes changed, put in or taken out; the header's delimiters stay.
std::string Damaged(std::string_view message, uint32_t seed);

}  // namespace weir::engines
