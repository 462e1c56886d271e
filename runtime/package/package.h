// Loader of `.weirpkg` for processes without LLVM: checks digest and signature, loads this host's shared object. Format: docs/artifact.md.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/abi/weir_kernel.h"
#include "runtime/base/result.h"
#include "runtime/package/signature.h"

namespace weir::package {

// Whose packages are loaded. One with a signature that does not fit is never loaded.
struct Trust {
  std::vector<PublicKey> keys{};
  bool allow_unsigned = false;  // also those of unknown signers: nobody vouches for either
};

class Package {
 public:
  // Errors are those of refusal.h.
  static Result<std::unique_ptr<Package>> Open(const std::string& path, const Trust& trust);
  ~Package();
  Package(const Package&) = delete;
  Package& operator=(const Package&) = delete;
  const weir_kernel* kernel() const { return kernel_; }
  const std::string& bytes() const { return bytes_; }             // of the file
  const std::string& artifact_digest() const { return digest_; }  // hex SHA-256 of the file
  const std::string& signer() const {
    return signer_;
  }  // name of the trusted key; empty: nobody vouches for it

 private:
  Package() = default;
  Result<void> Check(const std::vector<Entry>& entries, const Trust& trust);
  Result<void> Load(const std::vector<Entry>& entries);

  void* handle_ = nullptr;
  const weir_kernel* kernel_ = nullptr;
  std::string bytes_, digest_, signer_;
};

}  // namespace weir::package
