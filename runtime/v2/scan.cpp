#include "runtime/v2/scan.h"

#include <cstring>
#include <type_traits>

#include "runtime/v2/charset.h"

// Vectors as clang spells them; what another compiler makes is right and slow.
#if defined(__clang__) && defined(__x86_64__)
#define WEIR_V2_AVX 1
#else
#define WEIR_V2_AVX 0
#endif

#if WEIR_V2_AVX
#include <immintrin.h>
#endif

namespace weir::v2 {
namespace {

#define WEIR_V2_INLINE inline __attribute__((always_inline))

// One bit per byte of a block.
struct Bits {
  uint64_t field, end, component, repetition, subcomponent, blank, special, escape, high;
};

// The meaning; the vectors must agree with it bit by bit (tests/unit/runtime/v2, tests/fuzz).
struct Bytewise {
  static WEIR_V2_INLINE Bits Read(const uint8_t* block, const weir_v2_delims& d) {
    Bits bits{};
    for (int i = 0; i < 64; ++i) {
      uint8_t c = block[i];
      auto mark = [i](uint64_t* word, bool set) { *word |= static_cast<uint64_t>(set) << i; };
      mark(&bits.field, c == d.field);
      mark(&bits.end, c == '\r' || c == '\n');
      mark(&bits.component, c == d.component);
      mark(&bits.repetition, c == d.repetition);
      mark(&bits.subcomponent, c == d.subcomponent);
      mark(&bits.blank, c == ' ');
      mark(&bits.special, c < 0x20 || c == '"' || c == '\\');
      mark(&bits.escape, c == d.escape);
      mark(&bits.high, c > 0x7F);
    }
    return bits;
  }
};

#if defined(__clang__)
#pragma clang diagnostic ignored "-Wpsabi"  // of vectors that only functions pass which are always inlined
// One source for every target: `kWidth` bytes to a register.
template <int kWidth>
struct Vectors {
  using Block = uint8_t __attribute__((ext_vector_type(kWidth)));
  using Lanes = bool __attribute__((ext_vector_type(kWidth)));
  // One bit per byte that the comparison, made for each register, holds for.
  template <typename Compare>
  static WEIR_V2_INLINE uint64_t Of(const uint8_t* block, Compare compare) {
    uint64_t all = 0;
    for (int i = 0; i < 64; i += kWidth) {
      Block v;
      std::memcpy(&v, block + i, kWidth);
      Lanes lanes = __builtin_convertvector(compare(v), Lanes);
      std::conditional_t<kWidth == 64, uint64_t, std::conditional_t<kWidth == 32, uint32_t, uint16_t>> bits;
      std::memcpy(&bits, &lanes, sizeof(bits));
      all |= static_cast<uint64_t>(bits) << i;
    }
    return all;
  }
  static WEIR_V2_INLINE uint64_t Equal(const uint8_t* block, uint8_t byte) {
    return Of(block, [byte](Block v) { return v == Block(byte); });
  }
  static WEIR_V2_INLINE Bits Read(const uint8_t* block, const weir_v2_delims& d) {
    return {.field = Equal(block, d.field),
            .end = Of(block, [](Block v) { return v == Block('\r') | v == Block('\n'); }),
            .component = Equal(block, d.component),
            .repetition = Equal(block, d.repetition),
            .subcomponent = Equal(block, d.subcomponent),
            .blank = Equal(block, ' '),
            .special = Of(block, [](Block v) { return v < Block(0x20) | v == Block('"') | v == Block('\\'); }),
            .escape = Equal(block, d.escape),
            .high = Of(block, [](Block v) { return v > Block(0x7F); })};
  }
};
#endif

// By block: separators and line ends, bytes above 0x7F.
struct Found {
  uint64_t cuts[kScanBlocks], high[kScanBlocks];
};

// What MSH-2 declares, as masks: all bits, or none for a delimiter that it leaves out.
struct Declared {
  explicit Declared(const weir_v2_delims& d)
      : component(d.component != d.field ? ~0ull : 0),
        repetition(d.repetition != d.field ? ~0ull : 0),
        subcomponent(d.subcomponent != d.field ? ~0ull : 0) {}
  uint64_t component, repetition, subcomponent;
};

#if defined(__clang__)
using Baseline = Vectors<16>;
#else
using Baseline = Bytewise;
#endif

template <typename How>
WEIR_V2_INLINE void ScanBlocks(const uint8_t* bytes, uint32_t size, uint32_t first, uint32_t last, const weir_v2_delims& delims,
                               const Declared& declared, const ScanTarget& out, Found* found, ScanState* state) {
  alignas(64) uint8_t tail[64];  // of the message, with what is no delimiter behind it
  if (last * 64 > size) {
    std::memset(tail, 'x', sizeof(tail));
    std::memcpy(tail, bytes + (last - 1) * 64, size % 64);
  }
  ScanState s = *state;
  uint64_t* special = out.marks[WEIR_V2_MARK_SPECIAL] + first;
  for (uint32_t block = first; block < last; ++block) {
    Bits bits = How::Read(block * 64 + 64 > size ? tail : bytes + block * 64, delims);
    bits.component &= declared.component;
    bits.repetition &= declared.repetition;
    bits.subcomponent &= declared.subcomponent;
    uint64_t cuts = bits.field | bits.end;
    // A blank that Trim would take away, or beside another. For the last bit the next block must be
    // seen.
    uint64_t edges = cuts | bits.component | bits.repetition | bits.subcomponent | bits.blank;
    if (block != 0) {
      special[-1] |= s.blank & edges << 63;
    }
    *special++ = bits.special | bits.escape | (bits.blank & (edges << 1 | s.edge | edges >> 1));
    out.marks[WEIR_V2_MARK_COMPONENT][block] = bits.component;
    out.marks[WEIR_V2_MARK_REPETITION][block] = bits.repetition;
    out.marks[WEIR_V2_MARK_SUBCOMPONENT][block] = bits.subcomponent;
    s.edge = edges >> 63;
    s.blank = bits.blank & 1ull << 63;
    s.high |= bits.high;
    s.escape |= bits.escape & s.after_header;
    s.after_header = ~0ull;
    found->cuts[block - first] = cuts;
    found->high[block - first] = bits.high;
    // Two at a time: a block seldom has more line ends, and how many is as hard to foresee.
    uint64_t ends = bits.end;
    do {
      auto place = [&](uint64_t end) { return s.sep_count + static_cast<uint32_t>(__builtin_popcountll(cuts & ((end & (0 - end)) - 1))); };
      uint64_t next = ends & (ends - 1);
      out.ends[s.end_count] = place(ends);
      s.end_count += ends != 0 ? 1 : 0;
      out.ends[s.end_count] = place(next);
      s.end_count += next != 0 ? 1 : 0;
      ends = next & (next - 1);
    } while (ends != 0);
    s.sep_count += static_cast<uint32_t>(__builtin_popcountll(cuts));
  }
  if (last * 64 >= size && bytes[size - 1] == ' ') {  // the end of the message is an edge
    special[-1] |= 1ull << ((size - 1) % 64);
  }
  *state = s;
}

WEIR_V2_INLINE void Offsets(const Found& found, uint32_t first, uint32_t last, uint32_t* out) {
  for (uint32_t block = first; block < last; ++block) {
    uint64_t bits = found.cuts[block - first];
    uint32_t* at = out;
    out += __builtin_popcountll(bits);
    // Eight at a time, wanted or not: a loop that ends where the bits do is mispredicted in nearly
    // every block.
    do {
      for (int k = 0; k < 8; ++k, bits &= bits - 1) {
        at[k] = block * 64 + static_cast<uint32_t>(__builtin_ctzll(bits | 1ull << 63));
      }
      at += 8;
    } while (bits != 0);
  }
}

// ASCII costs nothing; each other sequence is checked where it starts.
void CheckUtf8(const uint8_t* bytes, uint32_t size, uint32_t first, uint32_t last, const Found& found, ScanState* s) {
  for (uint32_t block = first; block < last; ++block) {
    for (uint64_t high = found.high[block - first]; high != 0; high &= high - 1) {
      uint32_t at = block * 64 + static_cast<uint32_t>(__builtin_ctzll(high));
      if (at >= s->utf8_end) {
        uint32_t length = Utf8Sequence(bytes + at, bytes + size);
        s->ill_formed = s->ill_formed || length == 0;
        s->utf8_end = at + length;
      }
    }
  }
}

#define WEIR_V2_SCAN_PARAMETERS                                                                                               \
  const uint8_t *bytes, uint32_t size, uint32_t first, uint32_t last, const weir_v2_delims &delims, const Declared &declared, \
      const ScanTarget &out, Found *found, ScanState *state
using ScanFunction = void (*)(WEIR_V2_SCAN_PARAMETERS);

template <typename How>
WEIR_V2_INLINE void ScanAll(WEIR_V2_SCAN_PARAMETERS) {
  uint32_t* seps = out.seps + state->sep_count;
  ScanBlocks<How>(bytes, size, first, last, delims, declared, out, found, state);
  Offsets(*found, first, last, seps);
}
void ScanBytewise(WEIR_V2_SCAN_PARAMETERS) { ScanAll<Bytewise>(bytes, size, first, last, delims, declared, out, found, state); }
void ScanBaseline(WEIR_V2_SCAN_PARAMETERS) { ScanAll<Baseline>(bytes, size, first, last, delims, declared, out, found, state); }

#if WEIR_V2_AVX
__attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt"))) void ScanAvx2(WEIR_V2_SCAN_PARAMETERS) {
  ScanAll<Vectors<32>>(bytes, size, first, last, delims, declared, out, found, state);
}

struct Places {
  alignas(64) uint8_t at[64];
  constexpr Places() : at() {
    for (int i = 0; i < 64; ++i) {
      at[i] = static_cast<uint8_t>(i);
    }
  }
};
__attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt,avx512f,avx512bw,avx512vl,avx512vbmi2,evex512"))) void ScanAvx512(
    WEIR_V2_SCAN_PARAMETERS) {
  static constexpr Places kPlaces;
  uint32_t* seps = out.seps + state->sep_count;
  ScanBlocks<Vectors<64>>(bytes, size, first, last, delims, declared, out, found, state);
  for (uint32_t block = first; block < last; ++block) {
    // Sixteen at once: the places of the bits as bytes, side by side, widened.
    const __m512i base = _mm512_set1_epi32(static_cast<int>(block * 64));
    __m512i places = _mm512_maskz_compress_epi8(found->cuts[block - first], _mm512_load_si512(kPlaces.at));
    int count = __builtin_popcountll(found->cuts[block - first]);
    uint32_t* at = seps;
    seps += count;
    _mm512_storeu_si512(at, _mm512_add_epi32(base, _mm512_cvtepu8_epi32(_mm512_castsi512_si128(places))));
    for (count -= 16; count > 0; count -= 16) [[unlikely]] {
      places = _mm512_alignr_epi64(places, places, 2);
      at += 16;
      _mm512_storeu_si512(at, _mm512_add_epi32(base, _mm512_cvtepu8_epi32(_mm512_castsi512_si128(places))));
    }
  }
}
#endif

ScanFunction FunctionOf(Scanner scanner) {
  switch (scanner) {
#if WEIR_V2_AVX
    case Scanner::kAvx512: return ScanAvx512;
    case Scanner::kAvx2: return ScanAvx2;
#endif
    case Scanner::kBytewise: return ScanBytewise;
    default: return ScanBaseline;
  }
}

ScanFunction Best() {
  for (Scanner scanner : {Scanner::kAvx512, Scanner::kAvx2}) {
    if (Supports(scanner)) {
      return FunctionOf(scanner);
    }
  }
  return FunctionOf(Scanner::kBaseline);
}

}  // namespace

bool Supports(Scanner scanner) {
#if WEIR_V2_AVX
  bool avx2 =
      __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
  if (scanner == Scanner::kAvx512) {
    return avx2 && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vbmi2");
  }
  if (scanner == Scanner::kAvx2) {
    return avx2;
  }
#endif
  return scanner != Scanner::kAvx2 && scanner != Scanner::kAvx512;
}

void Scan(const uint8_t* bytes, uint32_t size, uint32_t first, uint32_t last, const weir_v2_delims& delims, Scanner scanner,
          const ScanTarget& out, ScanState* state) {
  static const ScanFunction best = Best();
  Found found;
  (scanner == Scanner::kBest ? best : FunctionOf(scanner))(bytes, size, first, last, delims, Declared(delims), out, &found, state);
  if (state->high != 0) {
    CheckUtf8(bytes, size, first, last, found, state);
  }
}

}  // namespace weir::v2
