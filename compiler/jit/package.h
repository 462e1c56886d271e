// IR -> `.weirpkg`: a manifest and one position-independent shared object per target (runtime/package reads it).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compiler/ir/ir.h"
#include "runtime/base/result.h"
#include "runtime/package/signature.h"

namespace weir::jit {

struct PackageOptions {
  std::vector<std::string> triples;  // empty: this host; known: x86_64-unknown-linux-gnu, aarch64-unknown-linux-gnu
  std::optional<package::SecretKey> sign_with{};
};

Result<void> WritePackage(const ir::Module& module, const PackageOptions& options, const std::string& path);

}  // namespace weir::jit
