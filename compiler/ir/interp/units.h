// The explicit small table of units quantities are converted by, until UCUM lands. Units outside it
// compare only with themselves.
#pragma once

#include <optional>
#include <string_view>

#include "compiler/ir/interp/value.h"

namespace weir::ir {

bool IsCalendarWord(std::string_view unit);  // year, years, … millisecond, milliseconds

// Both values in one unit (the greater of the two), so that precision rules see comparable digits.
// Nothing when the units do not measure the same thing, or when a calendar year or month meets a
// definite duration and `exact`.
struct SameUnit {
  Decimal left, right;
  std::string_view unit;
};
std::optional<SameUnit> InOneUnit(const Quantity& left, const Quantity& right, bool exact);
bool Comparable(const Quantity& left, const Quantity& right);

}  // namespace weir::ir
