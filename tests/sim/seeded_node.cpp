// weir-node with the mistakes of bugs.py; WEIR_SEEDED_BUG names the one it makes. For tests/torture.
#include <cstdlib>
#include <string_view>

#include "tests/sim/seeded.h"

namespace weir::sim {
namespace {

constexpr SeededBug kBugs[] = {
#include "seeded_bugs.inc"
};

[[maybe_unused]] const bool chosen = [] {
  const char* name = std::getenv("WEIR_SEEDED_BUG");
  for (size_t i = 0; name != nullptr && i < std::size(kBugs); ++i) {
    if (kBugs[i].name == name) {
      seeded_bug = static_cast<int>(i) + 1;
      return true;
    }
  }
  std::abort();  // a node like any other would prove nothing
}();

}  // namespace
}  // namespace weir::sim
