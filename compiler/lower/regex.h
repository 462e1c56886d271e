// Regular expressions of FHIRPath, compiled with the expression: RE2's syntax, as far as it is listed in docs/lowering.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "runtime/kernel/fp.h"

namespace weir::lower {

struct RegexProgram {
  std::vector<kernel::RegexStep> steps;
  std::vector<uint32_t> ranges;  // pairs of first and last code point, sorted
  uint32_t groups = 0;           // without the whole match
};

// Nothing for a pattern outside that syntax, malformed ones included.
std::optional<RegexProgram> CompileRegex(std::string_view pattern, bool ignore_case);

}  // namespace weir::lower
