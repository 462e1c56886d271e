#include "compiler/ir/interp/decimal.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace weir::ir {
namespace {

using Wide = __int128;

std::optional<Wide> TimesTen(Wide value, int times) {
  for (int i = 0; i < times; ++i) {
    if (__builtin_mul_overflow(value, Wide{10}, &value)) {
      return std::nullopt;
    }
  }
  return value;
}

// Both mantissas at the greater scale; nothing when one does not fit.
struct Aligned {
  Wide a, b;
  int scale;
};
std::optional<Aligned> Align(const Decimal& a, const Decimal& b) {
  int scale = std::max(a.scale, b.scale);
  auto x = TimesTen(a.mantissa, scale - a.scale);
  auto y = TimesTen(b.mantissa, scale - b.scale);
  if (!x || !y) {
    return std::nullopt;
  }
  return Aligned{*x, *y, scale};
}

}  // namespace

std::optional<Decimal> Decimal::Parse(std::string_view text) {
  size_t i = 0;
  bool negative = false;
  if (i < text.size() && (text[i] == '+' || text[i] == '-')) {
    negative = text[i++] == '-';
  }
  Decimal result;
  bool digits = false, point = false;
  for (; i < text.size(); ++i) {
    char c = text[i];
    if (c == '.' && !point) {
      point = true;
      if (!digits || i + 1 == text.size()) {
        return std::nullopt;
      }
      continue;
    }
    if (c < '0' || c > '9') {
      break;
    }
    digits = true;
    if (__builtin_mul_overflow(result.mantissa, Wide{10}, &result.mantissa) ||
        __builtin_add_overflow(result.mantissa, Wide{c - '0'}, &result.mantissa)) {
      return std::nullopt;
    }
    result.scale += point ? 1 : 0;
  }
  if (!digits) {
    return std::nullopt;
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {  // JSON allows it for FHIR decimals
    ++i;
    bool minus = i < text.size() && text[i] == '-';
    i += i < text.size() && (text[i] == '-' || text[i] == '+') ? 1 : 0;
    int exponent = 0;
    size_t begin = i;
    for (; i < text.size() && text[i] >= '0' && text[i] <= '9' && exponent < 1000; ++i) {
      exponent = exponent * 10 + (text[i] - '0');
    }
    if (begin == i) {
      return std::nullopt;
    }
    result.scale += minus ? exponent : -exponent;
    if (result.scale < 0) {
      auto grown = TimesTen(result.mantissa, -result.scale);
      if (!grown) {
        return std::nullopt;
      }
      result.mantissa = *grown;
      result.scale = 0;
    }
  }
  if (i != text.size() || result.scale > kMaxScale) {
    return std::nullopt;
  }
  if (negative) {
    result.mantissa = -result.mantissa;
  }
  return result;
}

std::optional<Decimal> Decimal::FromDouble(long double value, int fraction_digits) {
  if (!std::isfinite(value)) {
    return std::nullopt;
  }
  long double scaled = std::round(value * std::pow(10.0L, fraction_digits));
  if (std::fabs(scaled) > 1e36L) {
    return std::nullopt;
  }
  return Decimal{static_cast<Wide>(scaled), fraction_digits}.Trimmed();
}

std::string Decimal::ToString() const {
  bool negative = mantissa < 0;
  unsigned __int128 rest = negative ? -static_cast<unsigned __int128>(mantissa)
                                    : static_cast<unsigned __int128>(mantissa);
  std::string digits;
  do {
    digits.push_back(static_cast<char>('0' + static_cast<int>(rest % 10)));
    rest /= 10;
  } while (rest != 0 || static_cast<int>(digits.size()) <= scale);
  if (scale > 0) {
    digits.insert(static_cast<size_t>(scale), 1, '.');
  }
  if (negative) {
    digits.push_back('-');
  }
  std::reverse(digits.begin(), digits.end());
  return digits;
}

long double Decimal::ToDouble() const {
  return static_cast<long double>(mantissa) / std::pow(10.0L, scale);
}

std::optional<int64_t> Decimal::ToInteger() const {
  Decimal whole = Trimmed();
  if (whole.scale != 0 || whole.mantissa > std::numeric_limits<int64_t>::max() ||
      whole.mantissa < std::numeric_limits<int64_t>::min()) {
    return std::nullopt;
  }
  return static_cast<int64_t>(whole.mantissa);
}

std::optional<Decimal> Decimal::Rescale(int to) const {
  Decimal result = *this;
  while (result.scale > to) {
    if (result.mantissa % 10 != 0) {
      return std::nullopt;
    }
    result.mantissa /= 10;
    --result.scale;
  }
  auto grown = TimesTen(result.mantissa, to - result.scale);
  if (!grown) {
    return std::nullopt;
  }
  return Decimal{*grown, to};
}

Decimal Decimal::Trimmed() const {
  Decimal result = *this;
  while (result.scale > 0 && result.mantissa % 10 == 0) {
    result.mantissa /= 10;
    --result.scale;
  }
  return result;
}

std::optional<Decimal> Decimal::RoundTo(int digits, Round mode) const {
  if (scale <= digits) {
    return Rescale(digits);
  }
  auto power = TimesTen(1, scale - digits);
  if (!power) {
    return Decimal{0, digits};
  }
  Wide quotient = mantissa / *power, rest = mantissa % *power;
  switch (mode) {
    case Round::kHalfAway: {
      Wide size = rest < 0 ? -rest : rest;
      if (size >= *power - size) {
        quotient += rest < 0 ? -1 : 1;
      }
      break;
    }
    case Round::kFloor:
      quotient -= rest < 0 ? 1 : 0;
      break;
    case Round::kCeiling:
      quotient += rest > 0 ? 1 : 0;
      break;
    case Round::kTruncate:
      break;
  }
  return Decimal{quotient, digits};
}

std::optional<Decimal> Add(const Decimal& a, const Decimal& b) {
  auto both = Align(a, b);
  Wide sum = 0;
  if (!both || __builtin_add_overflow(both->a, both->b, &sum)) {
    return std::nullopt;
  }
  return Decimal{sum, both->scale};
}

std::optional<Decimal> Subtract(const Decimal& a, const Decimal& b) {
  return Add(a, Decimal{-b.mantissa, b.scale});
}

std::optional<Decimal> Multiply(const Decimal& a, const Decimal& b) {
  Wide product = 0;
  if (__builtin_mul_overflow(a.mantissa, b.mantissa, &product)) {
    return std::nullopt;
  }
  Decimal result{product, a.scale + b.scale};
  if (result.scale > Decimal::kMaxScale) {
    return result.RoundTo(Decimal::kMaxScale, Decimal::Round::kHalfAway);
  }
  return result;
}

std::optional<Decimal> Divide(const Decimal& a, const Decimal& b) {
  auto both = Align(a, b);
  if (!both || both->b == 0) {
    return std::nullopt;
  }
  bool negative = (both->a < 0) != (both->b < 0);
  Wide x = both->a < 0 ? -both->a : both->a, y = both->b < 0 ? -both->b : both->b;
  Wide quotient = x / y, rest = x % y;
  for (int i = 0; i < Decimal::kQuotientScale; ++i) {  // long division, one digit at a time
    if (__builtin_mul_overflow(rest, Wide{10}, &rest) ||
        __builtin_mul_overflow(quotient, Wide{10}, &quotient) ||
        __builtin_add_overflow(quotient, rest / y, &quotient)) {
      return std::nullopt;
    }
    rest %= y;
  }
  quotient += rest >= y - rest ? 1 : 0;
  return Decimal{negative ? -quotient : quotient, Decimal::kQuotientScale}.Trimmed();
}

std::optional<Decimal> IntegerDivide(const Decimal& a, const Decimal& b) {
  auto both = Align(a, b);
  if (!both || both->b == 0) {
    return std::nullopt;
  }
  return Decimal{both->a / both->b, 0};
}

std::optional<Decimal> Modulo(const Decimal& a, const Decimal& b) {
  auto both = Align(a, b);
  if (!both || both->b == 0) {
    return std::nullopt;
  }
  return Decimal{both->a % both->b, both->scale};
}

int Compare(const Decimal& a, const Decimal& b) {
  if (auto both = Align(a, b)) {
    return both->a < both->b ? -1 : both->a > both->b ? 1 : 0;
  }
  // One side is too great to be aligned: then its integer part decides, since the other fits beside
  // it.
  auto x = a.RoundTo(0, Decimal::Round::kTruncate), y = b.RoundTo(0, Decimal::Round::kTruncate);
  return x->mantissa < y->mantissa ? -1 : 1;
}

}  // namespace weir::ir
