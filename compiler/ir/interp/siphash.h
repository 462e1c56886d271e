// SipHash-2-4 with 128 bits of output, from its reference description (Aumasson, Bernstein).
#pragma once

#include <string>
#include <string_view>

namespace weir::ir {

// `key` has 16 bytes; the answer has 16, in the reference's byte order.
std::string SipHash128(std::string_view key, std::string_view bytes);

}  // namespace weir::ir
