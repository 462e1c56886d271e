// Math. Roots are exact integer arithmetic; exponentials and logarithms are computed in pairs of doubles (some 30 digits)
// without a library, and rounded to kRealDigits fraction digits.
#include "runtime/kernel/fp.h"

// A fused multiply-add would break the error terms below.
#pragma STDC FP_CONTRACT OFF

namespace weir::kernel {
namespace {

constexpr int32_t kRealDigits = 8;
constexpr int64_t kMaxPower = 1000;

struct Pair {  // hi + lo, |lo| at most half a unit of hi's last place
  double hi, lo;
};
constexpr Pair kLn2 = {0.693147180559945286, 2.319046813846299558e-17};

WK_INLINE Pair Quick(double a, double b) {  // |a| >= |b|
  double sum = a + b;
  return {sum, b - (sum - a)};
}
WK_INLINE Pair TwoSum(double a, double b) {
  double sum = a + b, part = sum - a;
  return {sum, (a - (sum - part)) + (b - part)};
}
WK_INLINE Pair TwoProduct(double a, double b) {
  constexpr double kSplit = 134217729.0;  // 2^27 + 1
  double p = a * b, ta = kSplit * a, tb = kSplit * b;
  double ah = ta - (ta - a), al = a - ah, bh = tb - (tb - b), bl = b - bh;
  return {p, ((ah * bh - p) + ah * bl + al * bh) + al * bl};
}
Pair operator+(Pair a, Pair b) {
  Pair high = TwoSum(a.hi, b.hi), low = TwoSum(a.lo, b.lo);
  high = Quick(high.hi, high.lo + low.hi);
  return Quick(high.hi, high.lo + low.lo);
}
Pair operator-(Pair a) { return {-a.hi, -a.lo}; }
Pair operator*(Pair a, Pair b) {
  Pair p = TwoProduct(a.hi, b.hi);
  return Quick(p.hi, p.lo + (a.hi * b.lo + a.lo * b.hi));
}
Pair operator/(Pair a, Pair b) {
  Pair quotient = {a.hi / b.hi, 0};
  for (int i = 0; i < 2; ++i) {
    Pair rest = a + -(quotient * b);
    quotient = quotient + Pair{rest.hi / b.hi, 0};
  }
  return quotient;
}

double PowerOfTwo(int32_t exponent) {
  auto bits = static_cast<uint64_t>(exponent + 1023) << 52;
  return __builtin_bit_cast(double, bits);
}

Pair PairOf(const Dec& d) {
  bool negative = d.m < 0;
  UWide m = negative ? -static_cast<UWide>(d.m) : static_cast<UWide>(d.m);
  Pair value = {0, 0}, power = {1, 0};
  for (int shift = 96; shift >= 0; shift -= 32) {
    value = value * Pair{4294967296.0, 0} + Pair{static_cast<double>(static_cast<uint32_t>(m >> shift)), 0};
  }
  for (int32_t i = 0; i < d.scale; ++i) {
    power = power * Pair{10, 0};
  }
  value = value / power;
  return negative ? -value : value;
}

// The integer part of a double of at least 0 and below 2^126.
UWide IntegerPart(double value) {
  auto bits = __builtin_bit_cast(uint64_t, value);
  int32_t exponent = static_cast<int32_t>(bits >> 52 & 0x7FF) - 1075;
  UWide m = (bits & ((uint64_t{1} << 52) - 1)) | uint64_t{1} << 52;
  if (value < 1) {
    return 0;
  }
  return exponent >= 0 ? m << exponent : m >> -exponent;
}
double AsDouble(UWide integer) { return static_cast<double>(static_cast<uint64_t>(integer >> 64)) * 18446744073709551616.0 + static_cast<double>(static_cast<uint64_t>(integer)); }

// Rounded half away from zero; false when there is no such decimal.
bool DecOfPair(Pair value, Dec* out) {
  bool negative = value.hi < 0;
  Pair scaled = (negative ? -value : value) * Pair{100000000, 0};
  if (!(scaled.hi <= 1e36)) {  // also what is not a number
    return false;
  }
  UWide whole = IntegerPart(scaled.hi);
  double rest = (scaled.hi - AsDouble(whole)) + scaled.lo;  // exact but for the last bit of lo
  while (rest < 0) {
    whole -= IntegerPart(-rest) + 1;
    rest += AsDouble(IntegerPart(-rest)) + 1;
  }
  UWide more = IntegerPart(rest);
  whole += more;
  rest -= AsDouble(more);
  whole += rest >= 0.5 ? 1 : 0;
  auto m = static_cast<Wide>(whole);
  *out = TrimDec({negative ? -m : m, kRealDigits});
  return true;
}

// e^x for x of at most 700 either way.
Pair Exp(Pair x) {
  double turns = x.hi / kLn2.hi;
  auto k = static_cast<int32_t>(turns < 0 ? turns - 0.5 : turns + 0.5);
  Pair rest = x + -(kLn2 * Pair{static_cast<double>(k), 0});
  rest = rest * Pair{1.0 / 1024, 0};
  Pair sum = {1, 0}, term = {1, 0};
  for (int i = 1; i < 14; ++i) {
    term = term * rest / Pair{static_cast<double>(i), 0};
    sum = sum + term;
  }
  for (int i = 0; i < 10; ++i) {
    sum = sum * sum;
  }
  double scale = PowerOfTwo(k);
  return {sum.hi * scale, sum.lo * scale};
}

// Of a positive number, by Halley's steps from the exponent.
Pair Log(Pair x) {
  auto bits = __builtin_bit_cast(uint64_t, x.hi);
  int32_t exponent = static_cast<int32_t>(bits >> 52 & 0x7FF) - 1023;
  Pair y = kLn2 * Pair{static_cast<double>(exponent), 0} + Pair{x.hi / PowerOfTwo(exponent) - 1, 0};
  for (int i = 0; i < 5; ++i) {
    Pair e = Exp(y);
    y = y + Pair{2, 0} * ((x + -e) / (x + e));
  }
  return y;
}

bool SingleDecimal(Context* c, const Coll& in, Dec* out) {
  Item item;
  if (!SingleSystem(c, in, &item)) {
    return false;
  }
  bool ok = DecimalOf(item, out);
  if (!ok) {
    Fail(c);
  }
  return ok;
}

Coll Whole(Context* c, const Coll& in, RoundMode mode) {
  Dec d, rounded;
  int64_t value;
  return SingleDecimal(c, in, &d) && RoundDec(d, 0, mode, &rounded) && IntegerOf(rounded, &value) ? OneInteger(c, value) : Empty();
}
Coll Real(Context* c, Pair value) {
  Dec d;
  return DecOfPair(value, &d) ? OneItem(c, DecItem(d)) : Empty();
}
constexpr double kGreatest = 90;  // of an exponent: beyond no decimal holds the result
Coll RealExp(Context* c, Pair x) { return x.hi > kGreatest ? Empty() : x.hi < -kGreatest ? OneItem(c, DecItem({0, 0})) : Real(c, Exp(x)); }

UWide Root(UWide n) {  // floor of the square root
  UWide root = 0;
  for (int bit = 63; bit >= 0; --bit) {
    UWide more = root | UWide{1} << bit;
    root = more * more <= n ? more : root;
  }
  return root;
}

}  // namespace

extern "C" {

Coll wf_abs(Context* c, const Coll* a, uint64_t) {
  Item item;
  if (!SingleSystem(c, a[0], &item)) {
    return Empty();
  }
  Amount amount;
  if (!QuantityOf(item, &amount)) {
    Fail(c);
    return Empty();
  }
  Dec d = AmountValue(amount);
  d.m = d.m < 0 ? -d.m : d.m;
  return item.kind == kAmount    ? OneAmount(c, d, amount.unit, amount.calendar != 0)
         : item.kind == kInteger ? OneInteger(c, static_cast<int64_t>(d.m))
                                 : OneItem(c, DecItem(d));
}
Coll wf_ceiling(Context* c, const Coll* a, uint64_t) { return Whole(c, a[0], kCeiling); }
Coll wf_floor(Context* c, const Coll* a, uint64_t) { return Whole(c, a[0], kFloor); }
Coll wf_truncate(Context* c, const Coll* a, uint64_t) { return Whole(c, a[0], kTruncate); }

Coll wf_round(Context* c, const Coll* a, uint64_t n) {
  Dec d;
  int64_t digits = 0;
  bool has_number = SingleDecimal(c, a[0], &d), has_digits = n < 2 || SingleNumber(c, a[1], &digits);
  if (!has_number || !has_digits) {
    return Empty();
  }
  if (digits < 0 || digits > kMaxScale) {
    Fail(c);
    return Empty();
  }
  if (d.scale > digits && !RoundDec(Dec(d), static_cast<int32_t>(digits), kHalfAway, &d)) {
    return Empty();
  }
  return OneItem(c, DecItem(d));
}

Coll wf_sqrt(Context* c, const Coll* a, uint64_t) {
  Dec d;
  if (!SingleDecimal(c, a[0], &d) || d.m < 0) {
    return Empty();
  }
  // The root of m / 10^scale to kRealDigits is the integer root of m * 10^(2 * kRealDigits - scale).
  Wide n = d.m, power = 1;
  UWide lost = 0;
  int32_t up = 2 * kRealDigits - d.scale;
  if (!ScaleUp(up > 0 ? &n : &power, up > 0 ? up : -up)) {
    Pair x = PairOf(d);
    return RealExp(c, Log(x) * Pair{0.5, 0});
  }
  UWide whole = DivideWide(static_cast<UWide>(n), static_cast<UWide>(power), &lost), root = Root(whole);
  UWide above = whole - root * root;  // half way to the next is root + 1/4
  root += above > root || (above == root && 4 * lost >= static_cast<UWide>(power)) ? 1 : 0;
  return OneItem(c, DecItem(TrimDec({static_cast<Wide>(root), kRealDigits})));
}

Coll wf_exp(Context* c, const Coll* a, uint64_t) {
  Dec d;
  return SingleDecimal(c, a[0], &d) ? RealExp(c, PairOf(d)) : Empty();
}
Coll wf_ln(Context* c, const Coll* a, uint64_t) {
  Dec d;
  return SingleDecimal(c, a[0], &d) && d.m > 0 ? Real(c, Log(PairOf(d))) : Empty();
}
Coll wf_log(Context* c, const Coll* a, uint64_t) {
  Dec d, base;
  bool has_number = SingleDecimal(c, a[0], &d), has_base = SingleDecimal(c, a[1], &base);
  if (!has_number || !has_base || d.m <= 0 || base.m <= 0) {
    return Empty();
  }
  Pair bottom = Log(PairOf(base));
  return bottom.hi == 0 ? Empty() : Real(c, Log(PairOf(d)) / bottom);
}

Coll wf_power(Context* c, const Coll* a, uint64_t) {
  Dec base, exponent;
  bool has_base = SingleDecimal(c, a[0], &base), has_exponent = SingleDecimal(c, a[1], &exponent);
  if (!has_base || !has_exponent) {
    return Empty();
  }
  int64_t whole, value;
  bool integral = IntegerOf(exponent, &whole);
  if (integral && whole >= 0 && whole <= kMaxPower) {
    Dec result = {1, 0};
    for (int64_t i = 0; i < whole; ++i) {
      if (!MultiplyDec(Dec(result), base, &result)) {
        return Empty();
      }
    }
    Item input;
    bool integers = SingleSystem(c, a[0], &input) && input.kind == kInteger && IntegerOf(result, &value);
    return integers ? OneInteger(c, value) : OneItem(c, DecItem(result));
  }
  if (base.m == 0) {
    return exponent.m > 0 ? OneItem(c, DecItem({0, 0})) : Empty();
  }
  if (base.m < 0 && !integral) {
    return Empty();
  }
  bool negative = base.m < 0 && (whole & 1) != 0;
  base.m = base.m < 0 ? -base.m : base.m;
  Coll size = RealExp(c, Log(PairOf(base)) * PairOf(exponent));
  if (size.count == 0 || !negative) {
    return size;
  }
  Dec d = DecOf(size.items[0]);
  return OneItem(c, DecItem({-d.m, d.scale}));
}

}  // extern "C"

}  // namespace weir::kernel
