#include "compiler/jit/jit.h"

#include <llvm/ADT/StringExtras.h>
#include <llvm/ExecutionEngine/Orc/LLJIT.h>
#include <llvm/Support/SHA256.h>
#include <llvm/Support/TargetSelect.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "compiler/lower/lower.h"

namespace weir::jit {

struct Kernel::State {
  std::unique_ptr<llvm::orc::LLJIT> jit;
  const weir_kernel* kernel = nullptr;
  bool from_cache = false;
};

Kernel::Kernel(std::unique_ptr<State> state) : state_(std::move(state)) {}
Kernel::~Kernel() = default;
const weir_kernel* Kernel::kernel() const { return state_->kernel; }
bool Kernel::from_cache() const { return state_->from_cache; }

namespace {

std::string Sha256(std::string_view text) {
  auto digest = llvm::SHA256::hash(llvm::ArrayRef(reinterpret_cast<const uint8_t*>(text.data()), text.size()));
  return llvm::toHex(digest, /*LowerCase=*/true);
}

// A cached object carries its own digest: a torn or touched file is recompiled, never run.
std::string ReadCached(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream buffer;
  buffer << in.rdbuf();
  std::string text = buffer.str();
  if (text.size() < 64 || Sha256(std::string_view(text).substr(64)) != text.substr(0, 64)) {
    return "";
  }
  return text.substr(64);
}

void WriteCached(const std::filesystem::path& path, const std::string& object) {
  std::error_code ignored;  // a cache that cannot be written costs time, nothing else
  std::filesystem::create_directories(path.parent_path(), ignored);
  std::filesystem::path temporary = path;
  temporary += "." + std::to_string(getpid());
  std::ofstream(temporary, std::ios::binary) << Sha256(object) << object;
  std::filesystem::rename(temporary, path, ignored);
}

}  // namespace

namespace {

lower::LowerOptions HowTo(const JitOptions& options) {
  lower::LowerOptions how;
  how.cpu = "native";
  how.optimize = options.optimize;
  how.sanitize = options.sanitize;
  return how;
}

// Empty without a cache.
std::filesystem::path CachedPath(const ir::Module& module, const JitOptions& options) {
  if (options.cache_dir.empty()) {
    return {};
  }
  std::string key = ir::Print(module) + '\n' + lower::ToolchainKey() + (options.optimize ? " optimised" : " quick") + (options.sanitize ? " asan" : "");
  return std::filesystem::path(options.cache_dir) / (Sha256(key) + ".o");
}

}  // namespace

Result<std::unique_ptr<Kernel>> Jit(const ir::Module& module, const JitOptions& options) {
  lower::LowerOptions how = HowTo(options);
  std::filesystem::path cached = CachedPath(module, options);
  std::string object = cached.empty() ? std::string() : ReadCached(cached);
  auto state = std::make_unique<Kernel::State>();
  state->from_cache = !object.empty();
  if (object.empty()) {
    auto compiled = lower::CompileObject(module, how);
    if (!compiled) {
      return compiled.error();
    }
    object = std::move(*compiled);
    if (!cached.empty()) {
      WriteCached(cached, object);
    }
  }
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  auto jit = llvm::orc::LLJITBuilder().create();
  if (!jit) {
    return Error{"the JIT does not start: " + llvm::toString(jit.takeError())};
  }
  state->jit = std::move(*jit);
  if (auto error = state->jit->addObjectFile(llvm::MemoryBuffer::getMemBufferCopy(object, "kernel"))) {
    return Error{"the kernel does not load: " + llvm::toString(std::move(error))};
  }
  auto symbol = state->jit->lookup("weir_kernel_v1");
  if (!symbol) {
    return Error{"the kernel does not link: " + llvm::toString(symbol.takeError())};
  }
  state->kernel = symbol->toPtr<const weir_kernel*>();
  return std::make_unique<Kernel>(std::move(state));
}

namespace {
constexpr uint64_t kLongWork = 2000;  // records after which optimised code has paid for itself, several times over
}

Result<std::unique_ptr<TieredKernel>> TieredKernel::Start(const ir::Module& module, const JitOptions& options) {
  auto tiered = std::unique_ptr<TieredKernel>(new TieredKernel(module, options));
  tiered->options_.optimize = true;
  std::filesystem::path cached = CachedPath(module, tiered->options_);
  JitOptions first = tiered->options_;
  first.optimize = !cached.empty() && !ReadCached(cached).empty();
  auto kernel = Jit(module, first);
  if (!kernel) {
    return kernel.error();
  }
  (first.optimize ? tiered->optimised_ : tiered->quick_) = std::move(*kernel);
  tiered->kernel_ = (first.optimize ? tiered->optimised_ : tiered->quick_)->kernel();
  return tiered;
}

void TieredKernel::Count() {
  if (quick_ == nullptr || ++count_ != kLongWork) {
    return;
  }
  thread_ = std::thread([this] {
    auto kernel = Jit(module_, options_);
    if (kernel) {  // what the quick code could be made of can be optimised; if not, the quick code stays
      optimised_ = std::move(*kernel);
      kernel_.store(optimised_->kernel(), std::memory_order_release);
    }
  });
}

TieredKernel::~TieredKernel() {
  if (thread_.joinable()) {
    thread_.join();
  }
}

}  // namespace weir::jit
