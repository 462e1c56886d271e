// Helpers and generated code become one optimised object for a target.
#include "compiler/lower/lower.h"

#include <llvm/Bitcode/BitcodeReader.h>
#include <llvm/Config/llvm-config.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Linker/Linker.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/SmallVectorMemoryBuffer.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/xxhash.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/TargetParser/Host.h>
#include <llvm/Transforms/IPO/AlwaysInliner.h>
#include <llvm/Transforms/IPO/GlobalDCE.h>
#include <llvm/Transforms/IPO/Internalize.h>
#include <llvm/Transforms/InstCombine/InstCombine.h>
#include <llvm/Transforms/Instrumentation/AddressSanitizer.h>
#include <llvm/Transforms/Scalar/DeadStoreElimination.h>
#include <llvm/Transforms/Scalar/EarlyCSE.h>
#include <llvm/Transforms/Scalar/SROA.h>
#include <llvm/Transforms/Scalar/SimplifyCFG.h>

#include <mutex>
#include <set>

#include "compiler/lower/gen.h"
#include "compiler/lower/specialize.h"

// The helpers' bitcode, put into this object by the assembler (runtime/kernel/CMakeLists.txt makes it).
#define WEIR_EMBED(symbol, file) \
  asm(".section .rodata\n.balign 16\n.globl " symbol "\n" symbol ":\n.incbin \"" file "\"\n.globl " symbol "_end\n" symbol "_end:\n.byte 0\n.text\n")
WEIR_EMBED("weir_kernel_bitcode", WEIR_KERNEL_BITCODE);
WEIR_EMBED("weir_fhirpath_bitcode", WEIR_FHIRPATH_BITCODE);
extern "C" const char weir_kernel_bitcode[], weir_kernel_bitcode_end[], weir_fhirpath_bitcode[], weir_fhirpath_bitcode_end[];

namespace weir::lower {
namespace {

llvm::StringRef Bitcode() { return {weir_kernel_bitcode, static_cast<size_t>(weir_kernel_bitcode_end - weir_kernel_bitcode)}; }
llvm::StringRef FhirPathBitcode() { return {weir_fhirpath_bitcode, static_cast<size_t>(weir_fhirpath_bitcode_end - weir_fhirpath_bitcode)}; }

// A module that already holds the helpers: those of full FHIRPath only where they are needed.
Result<std::unique_ptr<llvm::Module>> LoadHelpers(bool fhirpath, llvm::LLVMContext& context) {
  auto read = [&](llvm::StringRef bitcode) { return llvm::parseBitcodeFile(llvm::MemoryBufferRef(bitcode, "helpers"), context); };
  auto kernel = read(Bitcode());
  if (!kernel) {
    return weir::Error{"the embedded helpers cannot be read: " + llvm::toString(kernel.takeError())};
  }
  if (fhirpath) {
    auto more = read(FhirPathBitcode());
    if (!more || llvm::Linker::linkModules(**kernel, std::move(*more))) {
      return weir::Error{"the embedded helpers of FHIRPath cannot be read" + (more ? "" : ": " + llvm::toString(more.takeError()))};
    }
  }
  return std::move(*kernel);
}

void InitializeTargets() {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    LLVMInitializeAArch64TargetInfo();
    LLVMInitializeAArch64Target();
    LLVMInitializeAArch64TargetMC();
    LLVMInitializeAArch64AsmPrinter();
  });
}

Result<std::unique_ptr<llvm::TargetMachine>> MakeTarget(const LowerOptions& options) {
  InitializeTargets();
  std::string triple = options.triple.empty() ? llvm::sys::getProcessTriple() : options.triple, message, features;
  std::string cpu = options.cpu;
  if (cpu == "native") {
    cpu = llvm::sys::getHostCPUName().str();
    for (const auto& feature : llvm::sys::getHostCPUFeatures()) {
      features += (features.empty() ? "" : ",") + std::string(feature.second ? "+" : "-") + feature.first().str();
    }
  }
  const llvm::Target* target = llvm::TargetRegistry::lookupTarget(triple, message);
  if (target == nullptr) {
    return weir::Error{"unknown target " + triple};
  }
  auto* machine = target->createTargetMachine(triple, cpu, features, {}, llvm::Reloc::PIC_, std::nullopt,
                                              options.optimize ? llvm::CodeGenOptLevel::Default : llvm::CodeGenOptLevel::None);
  if (machine == nullptr) {
    return weir::Error{"no code generator for " + triple};
  }
  return std::unique_ptr<llvm::TargetMachine>(machine);
}

// Helpers were compiled for a generic CPU: inlining needs their target attributes to be the callers'.
void Retarget(llvm::Module& module, llvm::TargetMachine& machine, bool sanitize) {
  module.setTargetTriple(machine.getTargetTriple().str());
  module.setDataLayout(machine.createDataLayout());
  for (llvm::Function& f : module) {
    f.removeFnAttr("target-cpu");
    f.removeFnAttr("target-features");
    f.removeFnAttr("tune-cpu");
    if (!f.isDeclaration()) {
      f.addFnAttr("target-cpu", machine.getTargetCPU());
      f.addFnAttr("target-features", machine.getTargetFeatureString());
      if (sanitize) {
        f.addFnAttr(llvm::Attribute::SanitizeAddress);
      }
    }
  }
}

// The helpers come optimised in their bitcode, and generated code is glue around calls of them. The stock pipeline inlines
// them everywhere, which costs eight times the build time for a few per cent of speed.
// So helpers stay as they are and the glue gets what is linear in its size.
void Optimize(llvm::Module& module, llvm::TargetMachine& machine, const std::set<std::string>& helpers, const LowerOptions& options) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager calls;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(&machine);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(calls);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, calls, modules);
  if (options.optimize) {
    SpecializePaths(module);
  }
  llvm::ModulePassManager whole;
  whole.addPass(llvm::AlwaysInlinerPass());
  whole.addPass(llvm::GlobalDCEPass());
  whole.run(module, modules);
  llvm::FunctionPassManager glue;
  glue.addPass(llvm::SROAPass(llvm::SROAOptions::ModifyCFG));
  glue.addPass(llvm::EarlyCSEPass());
  glue.addPass(llvm::InstCombinePass());
  glue.addPass(llvm::SimplifyCFGPass());
  for (llvm::Function& f : module) {
    if (!f.isDeclaration() && !helpers.contains(f.getName().str())) {
      glue.run(f, functions);
    }
  }
  if (options.sanitize) {
    llvm::ModulePassManager sanitizer;
    sanitizer.addPass(llvm::AddressSanitizerPass({}));
    sanitizer.run(module, modules);
  }
}

using Fill = std::function<void(Gen&)>;  // null: feeds

Result<std::unique_ptr<llvm::Module>> Generate(const ir::Module& module, const LowerOptions& options, llvm::LLVMContext& context,
                                               llvm::TargetMachine& machine, const Fill& fill = nullptr) {
  auto loaded = LoadHelpers(fill != nullptr || Gen::NeedsFhirPath(module), context);
  if (!loaded) {
    return loaded.error();
  }
  std::unique_ptr<llvm::Module> out = std::move(*loaded);
  std::set<std::string> helpers;
  for (const llvm::Function& f : *out) {
    helpers.insert(f.getName().str());
  }
  Gen gen(module, *out);
  fill != nullptr ? fill(gen) : gen.Run();
  if (!gen.error().empty()) {
    return weir::Error{"cannot lower: " + gen.error()};
  }
  std::string broken;
  llvm::raw_string_ostream stream(broken);
  if (llvm::verifyModule(*out, &stream)) {
    return weir::Error{"generated code is malformed: " + broken};
  }
  llvm::internalizeModule(*out, [](const llvm::GlobalValue& value) {
    return value.getName() == "weir_kernel_v1" || value.getName() == "weir_expressions_v1" || value.getName() == "memcpy" || value.getName() == "memset";
  });
  Retarget(*out, machine, options.sanitize);
  Optimize(*out, machine, helpers, options);
  return out;
}

Result<std::string> ObjectOf(llvm::Module& module, llvm::TargetMachine& machine) {
  llvm::SmallVector<char, 0> object;
  llvm::raw_svector_ostream stream(object);
  llvm::legacy::PassManager passes;
  if (machine.addPassesToEmitFile(passes, stream, nullptr, llvm::CodeGenFileType::ObjectFile)) {
    return weir::Error{"no object files for this target"};
  }
  passes.run(module);
  return std::string(object.data(), object.size());
}

}  // namespace

Result<std::string> CompileObject(const ir::Module& module, const LowerOptions& options) {
  auto machine = MakeTarget(options);
  if (!machine) {
    return machine.error();
  }
  llvm::LLVMContext context;
  auto out = Generate(module, options, context, **machine);
  if (!out) {
    return out.error();
  }
  return ObjectOf(**out, **machine);
}

Result<ExpressionObject> CompileExpressions(const ir::Module& module, const std::vector<Expression>& expressions, const KnownType& known_type,
                                            const LowerOptions& options) {
  auto machine = MakeTarget(options);
  if (!machine) {
    return machine.error();
  }
  ExpressionObject result;
  llvm::LLVMContext context;
  auto out = Generate(module, options, context, **machine, [&](Gen& gen) { gen.RunExpressions(expressions, known_type, &result.refused); });
  if (!out) {
    return out.error();
  }
  auto object = ObjectOf(**out, **machine);
  if (!object) {
    return object.error();
  }
  result.object = std::move(*object);
  return result;
}

Result<std::string> DumpLlvm(const ir::Module& module, const LowerOptions& options) {
  auto machine = MakeTarget(options);
  if (!machine) {
    return machine.error();
  }
  llvm::LLVMContext context;
  auto out = Generate(module, options, context, **machine);
  if (!out) {
    return out.error();
  }
  std::string text;
  llvm::raw_string_ostream stream(text);
  (*out)->print(stream, nullptr);
  return text;
}

std::string ToolchainKey() {
  return std::string(LLVM_VERSION_STRING) + "-" + std::to_string(llvm::xxh3_64bits(Bitcode())) + "-" +
         std::to_string(llvm::xxh3_64bits(FhirPathBitcode())) + "-" + llvm::sys::getHostCPUName().str();
}

}  // namespace weir::lower
