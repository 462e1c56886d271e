// Loader of `.weirpkg` for processes without LLVM: checks digests, loads this host's shared object. Format: docs/artifact.md.
#pragma once

#include <memory>
#include <string>

#include "runtime/abi/weir_kernel.h"
#include "runtime/base/result.h"

namespace weir::package {

class Package {
 public:
  static Result<std::unique_ptr<Package>> Open(const std::string& path);
  ~Package();
  Package(const Package&) = delete;
  Package& operator=(const Package&) = delete;
  const weir_kernel* kernel() const { return kernel_; }
  const std::string& artifact_digest() const { return digest_; }  // hex SHA-256 of the file

 private:
  Package() = default;
  void* handle_ = nullptr;
  const weir_kernel* kernel_ = nullptr;
  std::string digest_;
};

}  // namespace weir::package
