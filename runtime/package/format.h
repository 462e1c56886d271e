// The container `.weirpkg`: "WEIRPKG1", u32 count, then per entry u32 name size, u64 content size, name, content, and 32
// bytes SHA-256 over everything before at the end. Little-endian. docs/artifact.md.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"

namespace weir::package {

struct Entry {
  std::string name;
  std::string content;
};

std::string Encode(const std::vector<Entry>& entries);
Result<std::vector<Entry>> Decode(std::string_view bytes);
std::string Sha256Hex(std::string_view bytes);
std::string HostTriple();

// The shared objects that a package holds for one target, the fastest first: the same code for several generations of CPU.
struct Variant {
  std::string entry;  // its name in the package
  std::string cpu;    // LLVM's name of what it may use
  bool runs_here;     // where the target is this host's
};
std::vector<Variant> Variants(std::string_view triple);

}  // namespace weir::package
