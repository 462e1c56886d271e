#include "compiler/lower/specialize.h"

#include <llvm/IR/Constants.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Instructions.h>
#include <llvm/Transforms/Utils/Cloning.h>

#include <map>
#include <vector>

namespace weir::lower {
namespace {

constexpr unsigned kPathArgument = 3;  // of every wk_path helper: context, items, count, path

}  // namespace

void SpecializePaths(llvm::Module& module) {
  std::vector<llvm::CallInst*> calls;
  for (llvm::Function& f : module) {
    if (f.isDeclaration() || !f.getName().starts_with("wk_path")) {
      continue;
    }
    for (llvm::User* user : f.users()) {
      auto* call = llvm::dyn_cast<llvm::CallInst>(user);
      if (call != nullptr && call->getCalledFunction() == &f && llvm::isa<llvm::ConstantInt>(call->getArgOperand(kPathArgument))) {
        calls.push_back(call);
      }
    }
  }
  std::map<std::pair<llvm::Function*, uint64_t>, llvm::Function*> made;
  for (llvm::CallInst* call : calls) {
    llvm::Function* helper = call->getCalledFunction();
    auto* path = llvm::cast<llvm::ConstantInt>(call->getArgOperand(kPathArgument));
    llvm::Function*& own = made[{helper, path->getZExtValue()}];
    if (own == nullptr) {
      llvm::ValueToValueMapTy map;
      map[helper->getArg(kPathArgument)] = path;
      own = llvm::CloneFunction(helper, map);
      own->setName(helper->getName() + "." + llvm::Twine(path->getZExtValue()));
    }
    std::vector<llvm::Value*> arguments;
    for (unsigned i = 0; i < call->arg_size(); ++i) {
      if (i != kPathArgument) {
        arguments.push_back(call->getArgOperand(i));
      }
    }
    auto* now = llvm::CallInst::Create(own->getFunctionType(), own, arguments, "", call->getIterator());
    now->setDebugLoc(call->getDebugLoc());
    call->replaceAllUsesWith(now);
    call->eraseFromParent();
  }
}

}  // namespace weir::lower
