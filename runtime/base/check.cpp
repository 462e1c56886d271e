#include "runtime/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace weir {

void CheckFailed(const char* expression, const char* file, int line) noexcept {
  std::fprintf(stderr, "weir: internal error: %s is false (%s:%d)\n", expression, file, line);
  std::abort();
}

}  // namespace weir
