// Times on the command line.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/result.h"

namespace weir::operate {

// `2026-10-18`, `2026-10-18T04:00`, `2026-10-18T04:00:00[.5][Z|+02:00]` (UTC without an offset), or so long before `now_us`: `90s`, `15m`, `2h`, `7d`.
// Microseconds since 1970.
Result<int64_t> ParseWhen(std::string_view text, int64_t now_us);
std::string FormatTime(int64_t us);  // UTC, to the second; with a fraction where there is one

}  // namespace weir::operate
