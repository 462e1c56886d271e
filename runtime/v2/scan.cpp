#include "runtime/v2/scan.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace weir::v2 {
namespace {

constexpr uint32_t kHeaderBytes = 9;  // MSH, separator, up to five encoding characters: the escape's own declaration

uint64_t LiveBits(uint32_t left) { return left >= 64 ? ~0ull : (1ull << left) - 1; }
// The escape character in MSH-2 declares itself and escapes nothing.
uint64_t AfterHeader(uint32_t base) { return base == 0 ? ~0ull << kHeaderBytes : ~0ull; }

// The meaning of the other two; they must agree with it bit by bit (tests/unit/runtime/v2, tests/fuzz).
ScanResult ScanScalar(const uint8_t* bytes, uint32_t size, const weir_v2_delims& delims, uint64_t* masks) {
  ScanResult result;
  for (uint32_t base = 0; base < size; base += 64) {
    uint64_t mask = 0;
    uint32_t count = size - base < 64 ? size - base : 64;
    for (uint32_t i = 0; i < count; ++i) {
      uint8_t c = bytes[base + i];
      if (c == delims.field || c == '\r' || c == '\n') {
        mask |= 1ull << i;
      }
      result.high = result.high || c > 0x7F;
      result.escape = result.escape || (c == delims.escape && c != delims.field && base + i >= kHeaderBytes);
    }
    *masks++ = mask;
  }
  return result;
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) ScanResult ScanAvx2(const uint8_t* bytes, uint32_t size, const weir_v2_delims& delims,
                                                    uint64_t* masks) {
  const __m256i field = _mm256_set1_epi8(static_cast<char>(delims.field));
  const __m256i escape = _mm256_set1_epi8(static_cast<char>(delims.escape));
  const __m256i cr = _mm256_set1_epi8('\r');
  const __m256i lf = _mm256_set1_epi8('\n');
  uint64_t high = 0;
  uint64_t escapes = 0;
  for (uint32_t base = 0; base < size; base += 64) {
    uint64_t live = LiveBits(size - base);
    __m256i a = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes + base));
    __m256i b = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes + base + 32));
    auto bits = [](__m256i x, __m256i y) __attribute__((target("avx2"), always_inline)) {
      return static_cast<uint64_t>(static_cast<uint32_t>(_mm256_movemask_epi8(x))) |
             static_cast<uint64_t>(static_cast<uint32_t>(_mm256_movemask_epi8(y))) << 32;
    };
    __m256i ma = _mm256_or_si256(_mm256_cmpeq_epi8(a, field), _mm256_or_si256(_mm256_cmpeq_epi8(a, cr), _mm256_cmpeq_epi8(a, lf)));
    __m256i mb = _mm256_or_si256(_mm256_cmpeq_epi8(b, field), _mm256_or_si256(_mm256_cmpeq_epi8(b, cr), _mm256_cmpeq_epi8(b, lf)));
    *masks++ = bits(ma, mb) & live;
    high |= bits(a, b) & live;
    escapes |= bits(_mm256_cmpeq_epi8(a, escape), _mm256_cmpeq_epi8(b, escape)) & live & AfterHeader(base);
  }
  return {.high = high != 0, .escape = escapes != 0 && delims.escape != delims.field};
}

__attribute__((target("avx512bw"))) ScanResult ScanAvx512(const uint8_t* bytes, uint32_t size, const weir_v2_delims& delims,
                                                          uint64_t* masks) {
  const __m512i field = _mm512_set1_epi8(static_cast<char>(delims.field));
  const __m512i escape = _mm512_set1_epi8(static_cast<char>(delims.escape));
  const __m512i cr = _mm512_set1_epi8('\r');
  const __m512i lf = _mm512_set1_epi8('\n');
  uint64_t high = 0;
  uint64_t escapes = 0;
  for (uint32_t base = 0; base < size; base += 64) {
    uint64_t live = LiveBits(size - base);
    __m512i v = _mm512_loadu_si512(bytes + base);
    *masks++ = (_mm512_cmpeq_epi8_mask(v, field) | _mm512_cmpeq_epi8_mask(v, cr) | _mm512_cmpeq_epi8_mask(v, lf)) & live;
    high |= _mm512_movepi8_mask(v) & live;
    escapes |= _mm512_cmpeq_epi8_mask(v, escape) & live & AfterHeader(base);
  }
  return {.high = high != 0, .escape = escapes != 0 && delims.escape != delims.field};
}
#endif

Scanner Best() {
  static const Scanner best = Supports(Scanner::kAvx512) ? Scanner::kAvx512
                              : Supports(Scanner::kAvx2) ? Scanner::kAvx2
                                                         : Scanner::kScalar;
  return best;
}

}  // namespace

bool Supports(Scanner scanner) {
#if defined(__x86_64__)
  if (scanner == Scanner::kAvx512) {
    return __builtin_cpu_supports("avx512bw") != 0;
  }
  if (scanner == Scanner::kAvx2) {
    return __builtin_cpu_supports("avx2") != 0;
  }
#endif
  return scanner == Scanner::kBest || scanner == Scanner::kScalar;
}

ScanResult ScanMasks(const uint8_t* bytes, uint32_t size, const weir_v2_delims& delims, Scanner scanner, uint64_t* masks) {
  switch (scanner == Scanner::kBest ? Best() : scanner) {
#if defined(__x86_64__)
    case Scanner::kAvx512:
      return ScanAvx512(bytes, size, delims, masks);
    case Scanner::kAvx2:
      return ScanAvx2(bytes, size, delims, masks);
#endif
    default:
      return ScanScalar(bytes, size, delims, masks);
  }
}

}  // namespace weir::v2
