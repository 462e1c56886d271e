// WEIR_CHECK: a broken invariant of ours, never a mistake of the author or of a feed. It prints both operands' source
// text, not their values, because a value may be patient data, and aborts.
#pragma once

namespace weir {

[[noreturn]] void CheckFailed(const char* expression, const char* file, int line) noexcept;

}  // namespace weir

#define WEIR_CHECK(condition)                                     \
  do {                                                            \
    if (!(condition)) [[unlikely]] {                              \
      ::weir::CheckFailed(#condition, __FILE__, __LINE__);        \
    }                                                             \
  } while (false)
