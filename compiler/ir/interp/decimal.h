// Exact decimals: 128-bit mantissa and a scale (digits after the point), as written: 1.50 keeps
// scale 2. Every operation that leaves 128 bits or kMaxScale answers nothing, which FHIRPath says
// as empty.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::ir {

struct Decimal {
  static constexpr int kMaxScale = 28;
  static constexpr int kQuotientScale =
      16;  // fraction digits of a quotient before trailing zeros are dropped

  __int128 mantissa = 0;
  int scale = 0;

  static std::optional<Decimal> Parse(std::string_view text);  // [+-]digits[.digits][e[+-]digits]
  static Decimal FromInteger(int64_t value) { return {value, 0}; }
  static std::optional<Decimal> FromDouble(long double value, int fraction_digits);

  std::string ToString() const;
  long double ToDouble() const;
  std::optional<int64_t> ToInteger() const;  // when integral and within 64 bits

  std::optional<Decimal> Rescale(int to) const;  // exact; nothing when digits would be lost
  Decimal Trimmed() const;                       // without trailing zeros of the fraction
  enum class Round { kHalfAway, kFloor, kCeiling, kTruncate };
  std::optional<Decimal> RoundTo(
      int digits, Round mode) const;  // the result has exactly `digits` fraction digits
};

std::optional<Decimal> Add(const Decimal& a, const Decimal& b);
std::optional<Decimal> Subtract(const Decimal& a, const Decimal& b);
std::optional<Decimal> Multiply(const Decimal& a, const Decimal& b);
std::optional<Decimal> Divide(const Decimal& a,
                              const Decimal& b);  // rounded half away from zero to kQuotientScale
std::optional<Decimal> IntegerDivide(const Decimal& a, const Decimal& b);  // truncated
std::optional<Decimal> Modulo(const Decimal& a, const Decimal& b);         // sign of the dividend
int Compare(const Decimal& a, const Decimal& b);

}  // namespace weir::ir
