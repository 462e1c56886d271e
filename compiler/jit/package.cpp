#include "compiler/jit/package.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "compiler/ir/manifest.h"
#include "compiler/lower/lower.h"
#include "runtime/package/format.h"

extern char** environ;

namespace weir::jit {
namespace {

// Removed with everything in it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "weir-XXXXXX").string();
    path_ = mkdtemp(pattern.data()) != nullptr ? pattern : "";
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) {
      std::filesystem::remove_all(path_, ignored);
    }
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// `--no-undefined`: a kernel needs nothing from the process that loads it.
Result<std::string> Link(const std::string& object) {
  TemporaryFolder folder;
  std::string in = folder.path() + "/kernel.o", out = folder.path() + "/kernel.so";
  std::ofstream(in, std::ios::binary) << object;
  std::string words[] = {"ld.lld-19", "-shared", "--no-undefined", "--hash-style=gnu", "-s", "-z", "relro", "-z", "now", "--build-id=none", in, "-o", out};
  std::vector<char*> argv;
  for (std::string& word : words) {
    argv.push_back(word.data());
  }
  argv.push_back(nullptr);
  pid_t child = 0;
  int status = 1;
  if (posix_spawnp(&child, "ld.lld-19", nullptr, nullptr, argv.data(), environ) != 0 || waitpid(child, &status, 0) != child || status != 0) {
    return Error{"ld.lld-19 could not link the kernel"};
  }
  std::stringstream buffer;
  buffer << std::ifstream(out, std::ios::binary).rdbuf();
  return buffer.str();
}

}  // namespace

Result<void> WritePackage(const ir::Module& module, const PackageOptions& options, const std::string& path) {
  std::vector<std::string> triples = options.triples.empty() ? std::vector<std::string>{package::HostTriple()} : options.triples;
  std::vector<package::Entry> entries = {{"manifest.json", ir::Manifest(module)}};
  for (const std::string& triple : triples) {
    for (const package::Variant& variant : package::Variants(triple)) {
      lower::LowerOptions how;
      how.triple = triple;
      how.cpu = variant.cpu;
      auto object = lower::CompileObject(module, how);
      if (!object) {
        return object.error();
      }
      auto linked = Link(*object);
      if (!linked) {
        return linked.error();
      }
      entries.push_back({variant.entry, std::move(*linked)});
    }
  }
  if (options.sign_with) {
    entries.push_back(package::Sign(entries, *options.sign_with));
  }
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << package::Encode(entries);
  out.close();
  return out ? Result<void>() : Result<void>(Error{"cannot write " + path});
}

}  // namespace weir::jit
