// Exact decimals: 128-bit mantissa and scale. Division is done here, bit by bit or by 32-bit limbs: a 128-bit `/` would be
// a call out of the kernel.
#include "runtime/kernel/fp.h"

namespace weir::kernel {
namespace {

constexpr UWide kMagnitude = UWide{1} << 127;  // of the least mantissa

WK_INLINE UWide Magnitude(Wide m) { return m < 0 ? -static_cast<UWide>(m) : static_cast<UWide>(m); }
// Puts the sign back; false when it does not fit.
WK_INLINE bool Signed(UWide magnitude, bool negative, Wide* out) {
  *out = negative ? static_cast<Wide>(-magnitude) : static_cast<Wide>(magnitude);
  return negative ? magnitude <= kMagnitude : magnitude < kMagnitude;
}

UWide DivideBy32(UWide a, uint32_t b, uint32_t* rest) {
  UWide quotient = 0;
  uint64_t r = 0;
  for (int shift = 96; shift >= 0; shift -= 32) {
    uint64_t part = r << 32 | static_cast<uint32_t>(a >> shift);
    quotient = quotient << 32 | part / b;
    r = part % b;
  }
  *rest = static_cast<uint32_t>(r);
  return quotient;
}

WK_INLINE int Bits(UWide a) {
  auto high = static_cast<uint64_t>(a >> 64), low = static_cast<uint64_t>(a);
  return high != 0 ? 128 - __builtin_clzll(high) : low != 0 ? 64 - __builtin_clzll(low) : 0;
}

bool MultiplyWide(UWide a, UWide b, UWide* out) {
  auto ah = static_cast<uint64_t>(a >> 64), al = static_cast<uint64_t>(a), bh = static_cast<uint64_t>(b >> 64), bl = static_cast<uint64_t>(b);
  if (ah != 0 && bh != 0) {
    return false;
  }
  UWide cross = static_cast<UWide>(ah) * bl + static_cast<UWide>(al) * bh;  // one of the two is zero
  UWide low = static_cast<UWide>(al) * bl;
  *out = low + (cross << 64);
  return cross >> 64 == 0 && *out >= low;
}

// Both mantissas at the greater scale.
bool Align(const Dec& a, const Dec& b, Wide* x, Wide* y, int32_t* scale) {
  *x = a.m;
  *y = b.m;
  *scale = a.scale > b.scale ? a.scale : b.scale;
  return ScaleUp(x, *scale - a.scale) && ScaleUp(y, *scale - b.scale);
}

}  // namespace

UWide DivideWide(UWide a, UWide b, UWide* rest) {
  if (b >> 32 == 0) {
    uint32_t r = 0;
    UWide quotient = DivideBy32(a, static_cast<uint32_t>(b), &r);
    *rest = r;
    return quotient;
  }
  UWide quotient = 0;
  for (int shift = Bits(a) - Bits(b); shift >= 0; --shift) {
    UWide part = b << shift;
    quotient <<= 1;
    if (a >= part) {
      a -= part;
      quotient |= 1;
    }
  }
  *rest = a;
  return quotient;
}

bool ScaleUp(Wide* m, int32_t times) {
  UWide magnitude = Magnitude(*m);
  for (int32_t i = 0; i < times && magnitude != 0; ++i) {
    if (!MultiplyWide(magnitude, 10, &magnitude)) {
      return false;
    }
  }
  return Signed(magnitude, *m < 0, m);
}

// [+-]digits[.digits][e[+-]digits]
bool ParseDec(Text text, Dec* out) {
  const uint8_t *p = text.p, *end = text.p + text.n;
  bool negative = false, digits = false, point = false;
  if (p != end && (*p == '+' || *p == '-')) {
    negative = *p++ == '-';
  }
  UWide m = 0;
  int32_t scale = 0;
  for (; p != end; ++p) {
    if (*p == '.' && !point) {
      point = true;
      if (!digits || p + 1 == end) {
        return false;
      }
      continue;
    }
    if (!Digit(*p)) {
      break;
    }
    digits = true;
    if (!MultiplyWide(m, 10, &m) || (m += static_cast<UWide>(*p - '0')) >= kMagnitude) {
      return false;
    }
    scale += point ? 1 : 0;
  }
  if (!digits) {
    return false;
  }
  if (p != end && (*p == 'e' || *p == 'E')) {
    ++p;
    bool minus = p != end && *p == '-';
    p += p != end && (*p == '-' || *p == '+') ? 1 : 0;
    const uint8_t* begin = p;
    int32_t exponent = 0;
    for (; p != end && Digit(*p) && exponent < 1000; ++p) {
      exponent = exponent * 10 + (*p - '0');
    }
    if (p == begin) {
      return false;
    }
    scale += minus ? exponent : -exponent;
  }
  *out = {static_cast<Wide>(m), scale < 0 ? 0 : scale};
  if (p != end || scale > kMaxScale || (scale < 0 && !ScaleUp(&out->m, -scale))) {
    return false;
  }
  out->m = negative ? -out->m : out->m;
  return true;
}

uint32_t FormatDec(const Dec& d, uint8_t* out) {
  uint8_t digits[48];
  int32_t count = 0;
  UWide rest = Magnitude(d.m);
  do {
    uint32_t digit = 0;
    rest = DivideBy32(rest, 10, &digit);
    digits[count++] = static_cast<uint8_t>('0' + digit);
  } while (rest != 0 || count <= d.scale);
  uint8_t* p = out;
  if (d.m < 0) {
    *p++ = '-';
  }
  while (count > 0) {
    if (count == d.scale) {
      *p++ = '.';
    }
    *p++ = digits[--count];
  }
  return static_cast<uint32_t>(p - out);
}

bool AddDec(const Dec& a, const Dec& b, Dec* out) {
  Wide x, y;
  int32_t scale;
  if (!Align(a, b, &x, &y, &scale)) {
    return false;
  }
  auto sum = static_cast<Wide>(static_cast<UWide>(x) + static_cast<UWide>(y));
  *out = {sum, scale};
  return (x < 0) != (y < 0) || (sum < 0) == (x < 0);
}

bool MultiplyDec(const Dec& a, const Dec& b, Dec* out) {
  UWide magnitude;
  if (!MultiplyWide(Magnitude(a.m), Magnitude(b.m), &magnitude) || !Signed(magnitude, (a.m < 0) != (b.m < 0), &out->m)) {
    return false;
  }
  out->scale = a.scale + b.scale;
  return out->scale <= kMaxScale || RoundDec(Dec(*out), kMaxScale, kHalfAway, out);
}

// Rounded half away from zero to kQuotientScale, trailing zeros dropped.
bool DivideDec(const Dec& a, const Dec& b, Dec* out) {
  Wide x, y;
  int32_t scale;
  if (!Align(a, b, &x, &y, &scale) || y == 0) {
    return false;
  }
  UWide divisor = Magnitude(y), rest, quotient = DivideWide(Magnitude(x), divisor, &rest);
  for (int32_t i = 0; i < kQuotientScale; ++i) {  // one digit at a time
    UWide ten;
    if (!MultiplyWide(rest, 10, &ten) || ten >= kMagnitude || !MultiplyWide(quotient, 10, &quotient)) {
      return false;
    }
    quotient += DivideWide(ten, divisor, &rest);
    if (quotient >= kMagnitude) {
      return false;
    }
  }
  quotient += rest >= divisor - rest ? 1 : 0;
  Wide m;
  if (!Signed(quotient, (x < 0) != (y < 0), &m)) {
    return false;
  }
  *out = TrimDec({m, kQuotientScale});
  return true;
}

bool DivModDec(const Dec& a, const Dec& b, bool modulo, Dec* out) {
  Wide x, y;
  int32_t scale;
  if (!Align(a, b, &x, &y, &scale) || y == 0) {
    return false;
  }
  UWide rest, quotient = DivideWide(Magnitude(x), Magnitude(y), &rest);
  out->scale = modulo ? scale : 0;
  return modulo ? Signed(rest, x < 0, &out->m) : Signed(quotient, (x < 0) != (y < 0), &out->m);
}

int CompareDec(const Dec& a, const Dec& b) {
  Wide x, y;
  int32_t scale;
  if (!Align(a, b, &x, &y, &scale)) {
    // One side is too great to be aligned: then its integer part decides, since the other fits beside it.
    Dec p, q;
    RoundDec(a, 0, kTruncate, &p);
    RoundDec(b, 0, kTruncate, &q);
    return p.m < q.m ? -1 : 1;
  }
  return x < y ? -1 : x > y ? 1 : 0;
}

bool RoundDec(const Dec& d, int32_t digits, RoundMode mode, Dec* out) {
  *out = d;
  out->scale = digits;
  if (d.scale <= digits) {
    return ScaleUp(&out->m, digits - d.scale);
  }
  Wide power = 1;
  if (!ScaleUp(&power, d.scale - digits)) {
    out->m = 0;
    return true;
  }
  bool negative = d.m < 0;
  UWide rest, quotient = DivideWide(Magnitude(d.m), static_cast<UWide>(power), &rest);
  bool up = mode == kHalfAway  ? rest >= static_cast<UWide>(power) - rest
            : mode == kFloor   ? negative && rest != 0
            : mode == kCeiling ? !negative && rest != 0
                               : false;
  return Signed(quotient + (up ? 1 : 0), negative, &out->m);
}

Dec TrimDec(Dec d) {
  bool negative = d.m < 0;
  UWide m = Magnitude(d.m);
  while (d.scale > 0) {
    uint32_t digit = 0;
    UWide shorter = DivideBy32(m, 10, &digit);
    if (digit != 0) {
      break;
    }
    m = shorter;
    --d.scale;
  }
  return {static_cast<Wide>(negative ? -m : m), d.scale};
}

bool IntegerOf(const Dec& d, int64_t* out) {
  Dec whole = TrimDec(d);
  *out = static_cast<int64_t>(whole.m);
  return whole.scale == 0 && whole.m == *out;
}

}  // namespace weir::kernel
