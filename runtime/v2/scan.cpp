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

// All bits for a delimiter that MSH-2 declares, none for one that it leaves out.
struct Declared {
  explicit Declared(const weir_v2_delims& d)
      : component(d.component != d.field ? ~0ull : 0),
        repetition(d.repetition != d.field ? ~0ull : 0),
        subcomponent(d.subcomponent != d.field ? ~0ull : 0) {}
  uint64_t component, repetition, subcomponent;
};

// The meaning of the other two; they must agree with it bit by bit (tests/unit/runtime/v2, tests/fuzz).
ScanResult ScanScalar(const uint8_t* bytes, uint32_t size, const weir_v2_delims& delims, uint64_t* masks, uint64_t* marks) {
  ScanResult result;
  for (uint32_t base = 0; base < size; base += 64, marks += WEIR_V2_MARKS) {
    uint64_t fields = 0, ends = 0;
    uint64_t mark[WEIR_V2_MARKS] = {};
    uint32_t count = size - base < 64 ? size - base : 64;
    for (uint32_t i = 0; i < count; ++i) {
      uint8_t c = bytes[base + i];
      uint64_t bit = 1ull << i;
      fields |= c == delims.field ? bit : 0;
      ends |= c == '\r' || c == '\n' ? bit : 0;
      bool delimiter = c != delims.field;
      mark[WEIR_V2_MARK_COMPONENT] |= c == delims.component && delimiter ? bit : 0;
      mark[WEIR_V2_MARK_REPETITION] |= c == delims.repetition && delimiter ? bit : 0;
      mark[WEIR_V2_MARK_SUBCOMPONENT] |= c == delims.subcomponent && delimiter ? bit : 0;
      mark[WEIR_V2_MARK_SPECIAL] |= c < 0x20 || c == '"' || c == '\\' || c == delims.escape ? bit : 0;
      result.high = result.high || c > 0x7F;
      result.escape = result.escape || (c == delims.escape && c != delims.field && base + i >= kHeaderBytes);
    }
    *masks++ = fields;
    *masks++ = ends;
    for (int k = 0; k < WEIR_V2_MARKS; ++k) {
      marks[k] = mark[k];
    }
  }
  return result;
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) ScanResult ScanAvx2(const uint8_t* bytes, uint32_t size, const weir_v2_delims& delims,
                                                    uint64_t* masks, uint64_t* marks) {
  const __m256i field = _mm256_set1_epi8(static_cast<char>(delims.field));
  const __m256i escape = _mm256_set1_epi8(static_cast<char>(delims.escape));
  const __m256i cr = _mm256_set1_epi8('\r');
  const __m256i lf = _mm256_set1_epi8('\n');
  const __m256i component = _mm256_set1_epi8(static_cast<char>(delims.component));
  const __m256i repetition = _mm256_set1_epi8(static_cast<char>(delims.repetition));
  const __m256i subcomponent = _mm256_set1_epi8(static_cast<char>(delims.subcomponent));
  const __m256i quote = _mm256_set1_epi8('"');
  const __m256i backslash = _mm256_set1_epi8('\\');
  const __m256i control = _mm256_set1_epi8(0x1F);
  const Declared declared(delims);
  uint64_t high = 0;
  uint64_t escapes = 0;
  for (uint32_t base = 0; base < size; base += 64, marks += WEIR_V2_MARKS) {
    uint64_t live = LiveBits(size - base);
    __m256i a = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes + base));
    __m256i b = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes + base + 32));
    auto bits = [](__m256i x, __m256i y) __attribute__((target("avx2"), always_inline)) {
      return static_cast<uint64_t>(static_cast<uint32_t>(_mm256_movemask_epi8(x))) |
             static_cast<uint64_t>(static_cast<uint32_t>(_mm256_movemask_epi8(y))) << 32;
    };
    *masks++ = bits(_mm256_cmpeq_epi8(a, field), _mm256_cmpeq_epi8(b, field)) & live;
    *masks++ = bits(_mm256_or_si256(_mm256_cmpeq_epi8(a, cr), _mm256_cmpeq_epi8(a, lf)),
                    _mm256_or_si256(_mm256_cmpeq_epi8(b, cr), _mm256_cmpeq_epi8(b, lf))) & live;
    high |= bits(a, b) & live;
    uint64_t escape_bits = bits(_mm256_cmpeq_epi8(a, escape), _mm256_cmpeq_epi8(b, escape)) & live;
    escapes |= escape_bits & AfterHeader(base);
    auto special = [&](__m256i x) __attribute__((target("avx2"), always_inline)) {
      __m256i text = _mm256_or_si256(_mm256_cmpeq_epi8(x, quote), _mm256_cmpeq_epi8(x, backslash));
      return _mm256_or_si256(text, _mm256_cmpeq_epi8(_mm256_min_epu8(x, control), x));
    };
    marks[WEIR_V2_MARK_COMPONENT] = bits(_mm256_cmpeq_epi8(a, component), _mm256_cmpeq_epi8(b, component)) & live & declared.component;
    marks[WEIR_V2_MARK_REPETITION] = bits(_mm256_cmpeq_epi8(a, repetition), _mm256_cmpeq_epi8(b, repetition)) & live & declared.repetition;
    marks[WEIR_V2_MARK_SUBCOMPONENT] = bits(_mm256_cmpeq_epi8(a, subcomponent), _mm256_cmpeq_epi8(b, subcomponent)) & live & declared.subcomponent;
    marks[WEIR_V2_MARK_SPECIAL] = (bits(special(a), special(b)) & live) | escape_bits;
  }
  return {.high = high != 0, .escape = escapes != 0 && delims.escape != delims.field};
}

__attribute__((target("avx512bw"))) ScanResult ScanAvx512(const uint8_t* bytes, uint32_t size, const weir_v2_delims& delims,
                                                          uint64_t* masks, uint64_t* marks) {
  const __m512i field = _mm512_set1_epi8(static_cast<char>(delims.field));
  const __m512i escape = _mm512_set1_epi8(static_cast<char>(delims.escape));
  const __m512i cr = _mm512_set1_epi8('\r');
  const __m512i lf = _mm512_set1_epi8('\n');
  const __m512i component = _mm512_set1_epi8(static_cast<char>(delims.component));
  const __m512i repetition = _mm512_set1_epi8(static_cast<char>(delims.repetition));
  const __m512i subcomponent = _mm512_set1_epi8(static_cast<char>(delims.subcomponent));
  const __m512i quote = _mm512_set1_epi8('"');
  const __m512i backslash = _mm512_set1_epi8('\\');
  const __m512i space = _mm512_set1_epi8(0x20);
  const Declared declared(delims);
  uint64_t high = 0;
  uint64_t escapes = 0;
  for (uint32_t base = 0; base < size; base += 64, marks += WEIR_V2_MARKS) {
    uint64_t live = LiveBits(size - base);
    __m512i v = _mm512_loadu_si512(bytes + base);
    *masks++ = _mm512_cmpeq_epi8_mask(v, field) & live;
    *masks++ = (_mm512_cmpeq_epi8_mask(v, cr) | _mm512_cmpeq_epi8_mask(v, lf)) & live;
    high |= _mm512_movepi8_mask(v) & live;
    uint64_t escape_bits = _mm512_cmpeq_epi8_mask(v, escape) & live;
    escapes |= escape_bits & AfterHeader(base);
    marks[WEIR_V2_MARK_COMPONENT] = _mm512_cmpeq_epi8_mask(v, component) & live & declared.component;
    marks[WEIR_V2_MARK_REPETITION] = _mm512_cmpeq_epi8_mask(v, repetition) & live & declared.repetition;
    marks[WEIR_V2_MARK_SUBCOMPONENT] = _mm512_cmpeq_epi8_mask(v, subcomponent) & live & declared.subcomponent;
    marks[WEIR_V2_MARK_SPECIAL] = escape_bits | (live & (_mm512_cmpeq_epi8_mask(v, quote) | _mm512_cmpeq_epi8_mask(v, backslash) |
                                                         _mm512_cmplt_epu8_mask(v, space)));
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

ScanResult ScanMasks(const uint8_t* bytes, uint32_t size, const weir_v2_delims& delims, Scanner scanner, uint64_t* masks, uint64_t* marks) {
  switch (scanner == Scanner::kBest ? Best() : scanner) {
#if defined(__x86_64__)
    case Scanner::kAvx512:
      return ScanAvx512(bytes, size, delims, masks, marks);
    case Scanner::kAvx2:
      return ScanAvx2(bytes, size, delims, masks, marks);
#endif
    default:
      return ScanScalar(bytes, size, delims, masks, marks);
  }
}

}  // namespace weir::v2
