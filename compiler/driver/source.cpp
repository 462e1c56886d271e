#include "compiler/driver/source.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "compiler/diag/render.h"
#include "compiler/driver/cli.h"
#include "compiler/ir/interp/interp.h"
#include "compiler/ir/interp/type_model.h"
#include "runtime/hub/manifest.h"
#ifdef WEIR_HAVE_JIT
#include "compiler/jit/jit.h"
#endif
#ifdef WEIR_HAVE_PACKAGE
#include "runtime/package/package.h"
#endif

namespace weir::driver {
namespace {

// The interpreter as an engine like any other.
class InterpreterEngine final : public ingest::Engine {
 public:
  InterpreterEngine(std::unique_ptr<ir::RegistryTypes> types, std::unique_ptr<ir::InterpretedKernel> kernel, hub::Manifest manifest)
      : types_(std::move(types)), kernel_(std::move(kernel)), manifest_(std::move(manifest)) {}

  weir_status Probe(const weir_input& input, const weir_snapshot& snapshot, weir_output* output, weir_probe* probe) override {
    return kernel_->Probe(input, snapshot, output, probe);
  }
  weir_status Transform(uint32_t feed, const weir_input& input, const weir_snapshot& snapshot, weir_output* output) override {
    return kernel_->Transform(feed, input, snapshot, output);
  }
  const hub::Manifest& manifest() const override { return manifest_; }

 private:
  std::unique_ptr<ir::RegistryTypes> types_;
  std::unique_ptr<ir::InterpretedKernel> kernel_;
  hub::Manifest manifest_;
};

#ifdef WEIR_HAVE_JIT
class TieredEngine final : public ingest::Engine {
 public:
  TieredEngine(std::unique_ptr<jit::TieredKernel> kernel, hub::Manifest manifest) : kernel_(std::move(kernel)), manifest_(std::move(manifest)) {}

  weir_status Probe(const weir_input& input, const weir_snapshot& snapshot, weir_output* output, weir_probe* probe) override {
    return kernel_->kernel()->probe(&input, &snapshot, output, probe);
  }
  weir_status Transform(uint32_t feed, const weir_input& input, const weir_snapshot& snapshot, weir_output* output) override {
    kernel_->Count();
    return kernel_->kernel()->transform(feed, &input, &snapshot, output);
  }
  const hub::Manifest& manifest() const override { return manifest_; }

 private:
  std::unique_ptr<jit::TieredKernel> kernel_;
  hub::Manifest manifest_;
};
#endif

OpenedEngine Failed(const std::string& message, int code) { return {.engine = nullptr, .keeps = nullptr, .exit_code = Fail(message, code)}; }

template <typename Owner>
OpenedEngine FromKernel(const weir_kernel* kernel, std::shared_ptr<Owner> keeps) {
  auto engine = ingest::KernelEngine::Create(kernel);
  if (!engine) {
    return Failed(engine.error().message, kUndecided);
  }
  return {.engine = std::make_unique<ingest::KernelEngine>(std::move(*engine)), .keeps = std::move(keeps), .exit_code = kFine};
}

#ifdef WEIR_HAVE_JIT
std::string CacheDir(const SourceArgs& args) {
  if (!args.cache_dir.empty()) {
    return args.cache_dir == "none" ? std::string() : args.cache_dir;
  }
  const char* xdg = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  std::filesystem::path base = xdg != nullptr && *xdg != '\0' ? std::filesystem::path(xdg)
                               : home != nullptr              ? std::filesystem::path(home) / ".cache"
                                                              : std::filesystem::path();
  return base.empty() ? std::string() : (base / "weir").string();
}
#endif

// The folder this executable lies in, or above it, that holds `name`: a build tree inside the sources, or an installation.
std::string FindBeside(const std::string& name) {
  std::error_code error;
  auto at = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  for (int up = 0; up < 5 && !at.empty(); ++up, at = at.parent_path()) {
    if (std::filesystem::exists(at / name, error)) {
      return (at / name).string();
    }
    if (std::filesystem::exists(at / "share" / "weir" / name, error)) {
      return (at / "share" / "weir" / name).string();
    }
  }
  return name;
}

}  // namespace

void AddDirectoryOptions(CLI::App& command, SourceArgs& args) {
  command.add_option("--std", args.std_dir, "folder of the standard library (default: beside weir)");
  command.add_option("--registry", args.registry_dir, "folder of the registry (default: beside weir)");
}

void AddEngineOptions(CLI::App& command, SourceArgs& args) {
  AddDirectoryOptions(command, args);
  command.add_option("--engine", args.engine, "jit or interp (the reference interpreter)")->check(CLI::IsMember({"jit", "interp"}));
  command.add_option("--trusted-keys", args.trusted_keys, "file of the public keys whose packages are taken without a note");
  command.add_option("--cache", args.cache_dir, "folder of compiled kernels, `none` for none (default: the user's cache)");
}

void AddSourceOptions(CLI::App& command, SourceArgs& args, bool with_engine) {
  command.add_option("source", args.path, "a .weir source or a .weirpkg")->required();
  if (with_engine) {
    AddEngineOptions(command, args);
  } else {
    AddDirectoryOptions(command, args);
  }
}

check::CheckOptions MakeCheckOptions(const SourceArgs& args) {
  check::CheckOptions options;
  options.std_dir = args.std_dir.empty() ? FindBeside("dsl/std") : args.std_dir;
  options.registry_dir = args.registry_dir.empty() ? FindBeside("contracts/registry") : args.registry_dir;
  return options;
}

std::unique_ptr<check::Compilation> LoadSource(const SourceArgs& args) {
  DiagnosticSink sink;
  auto compilation = check::Compile({args.path}, MakeCheckOptions(args), sink);
  if (!compilation->ok) {
    std::cerr << RenderText(compilation->files, sink.Sorted(), {.color = isatty(STDERR_FILENO) != 0});
    return nullptr;
  }
  return compilation;
}

#ifdef WEIR_HAVE_JIT
namespace {

// Stands for everything a module is made of: the sources, the standard library, the registry, zone data and this program.
std::string SourceKey(const SourceArgs& args) {
  namespace fs = std::filesystem;
  check::CheckOptions options = MakeCheckOptions(args);
  std::string key;
  std::error_code error;
  auto stamp = [&](const fs::path& path) {
    fs::path real = fs::canonical(path, error);
    key += fmt::format("{} {} {}\n", real.string(), fs::file_size(real, error), fs::last_write_time(real, error).time_since_epoch().count());
  };
  auto content = [&](const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    key += fmt::format("{} {}\n", path.string(), text.str().size()) + text.str();
  };
  content(args.path);
  std::vector<fs::path> library;
  for (const auto& entry : fs::recursive_directory_iterator(options.std_dir, error)) {
    if (entry.path().extension() == ".weir") {
      library.push_back(entry.path());
    }
  }
  std::sort(library.begin(), library.end());
  std::for_each(library.begin(), library.end(), content);
  for (const auto& entry : fs::directory_iterator(options.registry_dir, error)) {
    if (entry.path().extension() == ".defs") {
      library.push_back(entry.path());
    }
  }
  std::sort(library.begin(), library.end());
  std::for_each(library.begin(), library.end(), stamp);
  stamp(options.zoneinfo_dir + "/tzdata.zi");
  stamp("/proc/self/exe");
  return key;
}

}  // namespace
#endif

OpenedEngine OpenEngine(const SourceArgs& args) {
  if (args.path.ends_with(".weirpkg")) {
#ifdef WEIR_HAVE_PACKAGE
    package::Trust trust{.keys = {},
                         .allow_unsigned = true};  // an author's tool; weir-node is strict
    if (!args.trusted_keys.empty()) {
      auto keys = package::ReadPublicKeys(args.trusted_keys);
      if (!keys) {
        return Failed(keys.error().message, kUsage);
      }
      trust.keys = std::move(*keys);
    }
    auto package = package::Package::Open(args.path, trust);
    if (!package) {
      return Failed(package.error().message, kUndecided);
    }
    if ((*package)->signer().empty()) {
      std::fprintf(stderr, "weir: note: no trusted key vouches for `%s` (weir explain unsigned)\n",
                   args.path.c_str());
    }
    std::shared_ptr<package::Package> keeps(std::move(*package));
    return FromKernel(keeps->kernel(), keeps);
#else
    return Failed("this build of weir does not load packages", kUndecided);
#endif
  }
#ifdef WEIR_HAVE_JIT
  if (args.engine == "jit") {
    // Filled when the cache does not hold the kernel; the same program is compiled again for optimised code.
    auto made = std::make_shared<std::shared_ptr<check::Compilation>>();
    auto kernel = jit::TieredKernel::Start(
        [args, made]() -> const ir::Module* {
          if (*made == nullptr) {
            *made = LoadSource(args);
          }
          return *made == nullptr ? nullptr : &(*made)->module;
        },
        SourceKey(args), {.cache_dir = CacheDir(args), .optimize = true, .sanitize = false});
    if (!kernel) {
      return kernel.error().message.empty() ? OpenedEngine{.engine = nullptr, .keeps = nullptr, .exit_code = kDoesNotCompile}
                                            : Failed(kernel.error().message, kUndecided);
    }
    auto manifest = hub::ParseManifest({(*kernel)->kernel()->manifest_json, (*kernel)->kernel()->manifest_size});
    if (!manifest) {
      return Failed(manifest.error().message, kUndecided);
    }
    return {.engine = std::make_unique<TieredEngine>(std::move(*kernel), std::move(*manifest)), .keeps = nullptr, .exit_code = kFine};
  }
#endif
  std::shared_ptr<check::Compilation> compilation = LoadSource(args);
  if (compilation == nullptr) {
    return {.engine = nullptr, .keeps = nullptr, .exit_code = kDoesNotCompile};
  }
  auto types = std::make_unique<ir::RegistryTypes>(*compilation->types);
  ir::EvalOptions options;
  options.types = types.get();
  auto kernel = std::make_unique<ir::InterpretedKernel>(compilation->module, options);
  auto manifest = hub::ParseManifest(kernel->manifest());
  if (!manifest) {
    return Failed(manifest.error().message, kUndecided);
  }
  return {.engine = std::make_unique<InterpreterEngine>(std::move(types), std::move(kernel), std::move(*manifest)),
          .keeps = compilation,
          .exit_code = kFine};
}

}  // namespace weir::driver
