// Helpers made for the constants they are called with.
#pragma once

#include <llvm/IR/Module.h>

namespace weir::lower {

// A helper of paths and writing does in each call what its path says, and most calls say it with a constant. Each pair of
// helper and path gets a copy with the path put in, which the passes after this fold. Inlining the helpers would do the same
// once per call, not once per pair: ten times the code for a feed of some size. Calls of what has no body stay as they are.
void SpecializePaths(llvm::Module& module);

}  // namespace weir::lower
