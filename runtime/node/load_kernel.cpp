#include "runtime/node/load_kernel.h"

#include <dlfcn.h>

#include <filesystem>

#include "runtime/package/refusal.h"

namespace weir::node {
namespace {

class SharedObject final : public LoadedKernel {
 public:
  SharedObject(void* handle, const weir_kernel* kernel) : handle_(handle), kernel_(kernel) {}
  ~SharedObject() override { dlclose(handle_); }
  const weir_kernel* kernel() const override { return kernel_; }

 private:
  void* handle_;
  const weir_kernel* kernel_;
};

class Packaged final : public LoadedKernel {
 public:
  explicit Packaged(std::unique_ptr<package::Package> package) : package_(std::move(package)) {}
  const weir_kernel* kernel() const override { return package_->kernel(); }

 private:
  std::unique_ptr<package::Package> package_;
};

}  // namespace

Result<std::unique_ptr<LoadedKernel>> LoadKernel(const std::string& path,
                                                 const package::Trust& trust) {
  if (!path.ends_with(".so")) {
    auto opened = package::Package::Open(path, trust);
    if (!opened) {
      return opened.error();
    }
    return std::unique_ptr<LoadedKernel>(std::make_unique<Packaged>(std::move(*opened)));
  }
  if (!trust.allow_unsigned) {
    return package::Refuse(package::Refusal::kUnsigned);
  }
  std::error_code error;
  const std::string absolute =
      std::filesystem::absolute(path, error).string();  // never searched for in library paths
  void* handle = dlopen(absolute.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    return package::Refuse(package::Refusal::kKernel, path);
  }
  const auto* kernel = static_cast<const weir_kernel*>(dlsym(handle, "weir_kernel_v1"));
  if (kernel == nullptr) {
    dlclose(handle);
    return package::Refuse(package::Refusal::kKernel, path);
  }
  return std::unique_ptr<LoadedKernel>(std::make_unique<SharedObject>(handle, kernel));
}

}  // namespace weir::node
