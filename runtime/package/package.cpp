#include "runtime/package/package.h"

#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "runtime/package/format.h"
#include "runtime/package/refusal.h"

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

Result<std::unique_ptr<Package>> Package::Open(const std::string& path, const Trust& trust) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream buffer;
  buffer << in.rdbuf();
  if (!in) {
    return Refuse(Refusal::kUnreadable, path);
  }
  std::unique_ptr<Package> package(new Package);  // the constructor is private
  package->bytes_ = std::move(buffer).str();
  auto entries = Decode(package->bytes_);
  if (!entries) {
    return entries.error();
  }
  package->digest_ = Sha256Hex(package->bytes_);
  if (auto checked = package->Check(*entries, trust); !checked) {
    return checked.error();
  }
  if (auto loaded = package->Load(*entries); !loaded) {
    return loaded.error();
  }
  return package;
}

Result<void> Package::Check(const std::vector<Entry>& entries, const Trust& trust) {
  auto signer = Signer(entries);
  if (!signer) {
    return signer.error();
  }
  if (*signer) {
    const auto known = std::ranges::find(trust.keys, (*signer)->bytes, &PublicKey::bytes);
    if (known != trust.keys.end()) {
      signer_ = known->name.empty() ? (*signer)->name : known->name;
      return {};
    }
  }
  if (trust.allow_unsigned) {
    return {};
  }
  return *signer ? Refuse(Refusal::kUntrusted, (*signer)->name) : Refuse(Refusal::kUnsigned);
}

Result<void> Package::Load(const std::vector<Entry>& entries) {
  bool found = false;
  for (const Variant& variant : Variants(HostTriple())) {
    const auto entry = std::ranges::find(entries, variant.entry, &Entry::name);
    if (handle_ == nullptr && variant.runs_here && entry != entries.end()) {
      found = true;
      handle_ = LoadBytes(entry->content);
    }
  }
  if (handle_ == nullptr) {
    return found ? Refuse(Refusal::kKernel) : Refuse(Refusal::kTarget, HostTriple());
  }
  kernel_ = static_cast<const weir_kernel*>(dlsym(handle_, "weir_kernel_v1"));
  if (kernel_ == nullptr) {
    return Refuse(Refusal::kKernel);
  }
  if (kernel_->abi_version != WEIR_ABI_VERSION || kernel_->struct_size < sizeof(weir_kernel)) {
    return Refuse(Refusal::kAbi);
  }
  return {};
}

}  // namespace weir::package
