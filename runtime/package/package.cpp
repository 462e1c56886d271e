#include "runtime/package/package.h"

#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "runtime/package/format.h"

namespace weir::package {
namespace {

// An anonymous file: the bytes that were checked are the bytes that run, whatever happens to the package on disk.
void* LoadBytes(const std::string& bytes) {
  int file = memfd_create("weir-kernel", MFD_CLOEXEC);
  if (file < 0) {
    return nullptr;
  }
  size_t at = 0;
  while (at < bytes.size()) {
    ssize_t wrote = write(file, bytes.data() + at, bytes.size() - at);
    if (wrote <= 0) {
      break;
    }
    at += static_cast<size_t>(wrote);
  }
  void* handle = at == bytes.size() ? dlopen(("/proc/self/fd/" + std::to_string(file)).c_str(), RTLD_NOW | RTLD_LOCAL) : nullptr;
  close(file);
  return handle;
}

}  // namespace

Package::~Package() {
  if (handle_ != nullptr) {
    dlclose(handle_);
  }
}

Result<std::unique_ptr<Package>> Package::Open(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream buffer;
  buffer << in.rdbuf();
  if (!in) {
    return Error{"cannot read " + path};
  }
  std::string bytes = buffer.str();
  auto entries = Decode(bytes);
  if (!entries) {
    return entries.error();
  }
  std::unique_ptr<Package> package(new Package);  // the constructor is private
  package->digest_ = Sha256Hex(bytes);
  for (const Variant& variant : Variants(HostTriple())) {
    for (const Entry& entry : *entries) {
      if (package->handle_ == nullptr && variant.runs_here && entry.name == variant.entry) {
        package->handle_ = LoadBytes(entry.content);
      }
    }
  }
  if (package->handle_ == nullptr) {
    return Error{"the package holds no usable kernel for " + HostTriple()};
  }
  package->kernel_ = static_cast<const weir_kernel*>(dlsym(package->handle_, "weir_kernel_v1"));
  if (package->kernel_ == nullptr || package->kernel_->abi_version != WEIR_ABI_VERSION || package->kernel_->struct_size < sizeof(weir_kernel)) {
    return Error{"the package's kernel speaks another ABI version"};
  }
  return package;
}

}  // namespace weir::package
