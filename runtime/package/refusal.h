// Why a package is not loaded, with the stable code that people and scripts see as `package/CODE`.
#pragma once

#include <cstdint>
#include <string_view>

#include "runtime/base/result.h"

namespace weir::package {

enum class Refusal : uint8_t {
#define WEIR_REFUSAL(name, ...) name,
#include "runtime/package/refusals.def"
#undef WEIR_REFUSAL
};

// "package/untrusted: the package is signed by … (detail)".
Error Refuse(Refusal refusal, std::string_view detail = {});

}  // namespace weir::package
