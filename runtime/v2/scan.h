// The SIMD half of the index: one bit per byte, 64 bytes to a word, where a field separator and where CR or LF stands, and the
// marks of index.h.
#pragma once

#include <cstdint>

#include "runtime/v2/index.h"
#include "runtime/v2/reader.h"

namespace weir::v2 {

struct ScanResult {
  bool high = false;    // a byte above 0x7F
  bool escape = false;  // the escape character after MSH-2 (the five bytes after MSH are not looked at)
};

// `masks` has room for 2 * ((size + 63) / 64) words, separators and line ends by turns, `marks` for WEIR_V2_MARKS per block. Reads up to 63 bytes past the end and
// ignores them.
ScanResult ScanMasks(const uint8_t* bytes, uint32_t size, const weir_v2_delims& delims, Scanner scanner, uint64_t* masks, uint64_t* marks);

}  // namespace weir::v2
