// The SIMD half of the index: where field separators and line ends stand, and the marks of index.h.
#pragma once

#include <cstdint>

#include "runtime/v2/index.h"
#include "runtime/v2/reader.h"

namespace weir::v2 {

// What one call of Scan leaves to the next, over the blocks of one message in order.
struct ScanState {
  uint32_t sep_count = 0;              // offsets of separators and line ends (CR, LF) so far
  uint32_t end_count = 0;              // line ends among them, as places in `seps`
  uint64_t edge = 1;                   // bit 0: what ends a piece stood last; so it does before the first byte
  uint64_t blank = 0;                  // bit 63: a blank stood last
  uint64_t high = 0;                   // not 0: a byte above 0x7F
  uint64_t escape = 0;                 // not 0: the escape character after MSH-2
  uint64_t after_header = ~0ull << 9;  // of the first block: MSH, separator, up to five characters
                                       // of which one is the escape's declaration
  uint32_t utf8_end = 0;               // of the last sequence of bytes above 0x7F
  bool ill_formed = false;             // some such bytes are not UTF-8
};

struct ScanTarget {
  uint32_t* seps;                  // room for kScanSlack more than one offset per byte of the blocks
  uint32_t* ends;                  // the same
  uint64_t* marks[WEIR_V2_MARKS];  // a word per block of the message
};
constexpr uint32_t kScanSlack = 64;
constexpr uint32_t kScanBlocks = 64;  // at most so many in one call, so that buffers grow with the
                                      // delimiters found, not with the message

// Blocks of 64 bytes [first, last) of the message. Reads up to 63 bytes past its end and ignores
// them.
void Scan(const uint8_t* bytes, uint32_t size, uint32_t first, uint32_t last, const weir_v2_delims& delims, Scanner scanner,
          const ScanTarget& out, ScanState* state);

}  // namespace weir::v2
