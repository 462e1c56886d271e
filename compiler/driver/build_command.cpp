// weir build SRC -o F.weirpkg, weir keygen PREFIX
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>

#include "compiler/driver/cli.h"
#include "compiler/driver/source.h"
#include "runtime/package/signature.h"
#ifdef WEIR_HAVE_JIT
#include "compiler/jit/package.h"
#endif

namespace weir::driver {
namespace {

struct BuildArgs {
  SourceArgs source;
  std::string output;
  std::vector<std::string> targets;
  std::string sign;
  bool dump_ir = false;
};

int Build(const BuildArgs& args) {
  auto compilation = LoadSource(args.source);
  if (compilation == nullptr) {
    return kDoesNotCompile;
  }
  if (args.dump_ir) {
    std::cout << ir::Print(compilation->module);
  }
  if (args.output.empty()) {
    return args.dump_ir ? kFine : Fail("`-o F.weirpkg` says where the package goes");
  }
#ifdef WEIR_HAVE_JIT
  if (std::error_code error; !std::filesystem::is_directory(std::filesystem::absolute(args.output, error).parent_path(), error)) {
    return Fail("there is no folder for `" + args.output + "`");
  }
  jit::PackageOptions options{.triples = args.targets, .sign_with = {}};
  if (!args.sign.empty()) {
    auto key = package::ReadSecretKey(args.sign);
    if (!key) {
      return Fail(key.error().message);
    }
    options.sign_with = *key;
  }
  auto written = jit::WritePackage(compilation->module, options, args.output);
  if (!written) {
    return Fail(written.error().message, kUndecided);
  }
  return kFine;
#else
  return Fail("this build of weir has no code generator", kUndecided);
#endif
}

int Keygen(const std::string& prefix) {
  auto made = package::GenerateKeys(prefix);
  return made ? kFine : Fail(made.error().message);
}

}  // namespace

void AddBuildCommands(CLI::App& app, Action& action) {
  auto args = std::make_shared<BuildArgs>();
  CLI::App* build = app.add_subcommand("build", "ahead-of-time artifact");
  AddSourceOptions(*build, args->source, /*with_engine=*/false);
  build->add_option("-o,--output", args->output, "the package to write");
  build->add_option("--target", args->targets, "x86_64-unknown-linux-gnu or aarch64-unknown-linux-gnu (default: this host)");
  build->add_option("--sign", args->sign, "file of the secret key that signs the package");
  build->add_flag("--dump-ir", args->dump_ir, "print the IR as text");
  build->callback([&action, args] { action = [args] { return Build(*args); }; });

  auto prefix = std::make_shared<std::string>();
  CLI::App* keygen = app.add_subcommand(
      "keygen", "a pair of keys for signing packages: PREFIX.key (secret) and PREFIX.pub");
  keygen->add_option("prefix", *prefix, "path of the two files without their endings")->required();
  keygen->callback([&action, prefix] { action = [prefix] { return Keygen(*prefix); }; });
}

}  // namespace weir::driver
