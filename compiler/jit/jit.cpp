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

// Where the object for `key` lies; empty without a cache.
std::filesystem::path CachedPath(const std::string& key, const JitOptions& options) {
  if (options.cache_dir.empty()) {
    return {};
  }
  std::string all = key + '\n' + lower::ToolchainKey() + (options.optimize ? " optimised" : " quick") + (options.sanitize ? " asan" : "");
  return std::filesystem::path(options.cache_dir) / (Sha256(all) + ".o");
}

Result<std::unique_ptr<Kernel>> Load(const std::string& object, bool from_cache) {
  auto state = std::make_unique<Kernel::State>();
  state->from_cache = from_cache;
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

// From the cache, or from the module that `source` makes; an error without text when the cache does not do and there is no source.
Result<std::unique_ptr<Kernel>> Obtain(const std::string& key, const JitOptions& options, const ModuleSource& source) {
  std::filesystem::path cached = CachedPath(key, options);
  if (std::string object = cached.empty() ? std::string() : ReadCached(cached); !object.empty()) {
    return Load(object, /*from_cache=*/true);
  }
  const ir::Module* module = source == nullptr ? nullptr : source();
  if (module == nullptr) {
    return Error{""};
  }
  auto compiled = lower::CompileObject(*module, HowTo(options));
  if (!compiled) {
    return compiled.error();
  }
  if (!cached.empty()) {
    WriteCached(cached, *compiled);
  }
  return Load(*compiled, /*from_cache=*/false);
}

constexpr uint64_t kLongWork = 2000;  // records after which optimised code has paid for itself, several times over

}  // namespace

Result<std::unique_ptr<Kernel>> Jit(const ir::Module& module, const JitOptions& options) {
  std::string key = options.cache_dir.empty() ? std::string() : ir::Print(module);
  return Obtain(key, options, [&] { return &module; });
}

Result<std::unique_ptr<TieredKernel>> TieredKernel::Start(ModuleSource source, const std::string& key, const JitOptions& options) {
  auto tiered = std::unique_ptr<TieredKernel>(new TieredKernel(std::move(source), options));
  tiered->key_ = key;
  tiered->options_.optimize = true;
  if (auto optimised = Obtain(key, tiered->options_, nullptr)) {
    tiered->optimised_ = std::move(*optimised);
    tiered->kernel_ = tiered->optimised_->kernel();
    return tiered;
  }
  JitOptions quick = tiered->options_;
  quick.optimize = false;
  auto kernel = Obtain(key, quick, tiered->source_);
  if (!kernel) {
    return kernel.error();
  }
  tiered->quick_ = std::move(*kernel);
  tiered->kernel_ = tiered->quick_->kernel();
  return tiered;
}

void TieredKernel::Count() {
  if (quick_ == nullptr || ++count_ != kLongWork) {
    return;
  }
  thread_ = std::thread([this] {
    auto kernel = Obtain(key_, options_, source_);
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
