// One message's bytes -> weir_v2_index, in one pass over 64-byte blocks (AVX-512, AVX2 or the target's baseline, chosen at run
// time; all give the same index). Tolerant of line ends, blank lines, other delimiters and lower-case ids; what it
// tolerated is in the flags. Buffers are reused: no allocation per record once they have grown.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "runtime/v2/index.h"

namespace weir::v2 {

// Append-only; the name is the `code` of a dead letter of class `schema`.
enum class IndexStatus : uint8_t {
  kOk = 0,
  kHeader = 1,          // no usable MSH: too short, or delimiters that are letters, digits, blanks or controls
  kTooLarge = 2,
  kTooManySegments = 3,
  kTooManyFields = 4,
};
std::string_view Code(IndexStatus status);

struct IndexLimits {
  uint32_t max_bytes = 64u << 20;       // documents in OBX-5 reach tens of megabytes
  uint32_t max_segments = 1u << 17;     // a 10,000-result report has some 30,000
  uint32_t max_separators = 1u << 22;   // 16 MB of offsets
};

enum class Scanner : uint8_t { kBest, kBytewise, kBaseline, kAvx2, kAvx512 };  // kBytewise says what the others mean

struct IndexBuffers {
  std::vector<weir_v2_segment> segments;
  std::vector<uint32_t> seps, ends;
  std::vector<weir_v2_group> groups;
  std::vector<uint64_t> marks;
};

// `bytes` starts with MSH (any case) and is followed by 64 readable bytes. `out` points into `buffers` and `bytes`.
IndexStatus BuildIndex(const uint8_t* bytes, uint32_t size, const IndexLimits& limits, IndexBuffers& buffers,
                       weir_v2_index* out, Scanner scanner = Scanner::kBest);

// True when this machine can run the scanner.
bool Supports(Scanner scanner);

}  // namespace weir::v2
