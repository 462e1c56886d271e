// Quantities: the small table of units (docs/ir.md), conversion to the greater of two units.
#include "runtime/kernel/fp.h"

namespace weir::kernel {
namespace {

// A unit of a dimension is `factor / 10^scale` of the dimension's base unit.
struct UnitRow {
  char code[8];
  char dimension;
  int64_t factor;
  int32_t scale;
};
constexpr UnitRow kUnits[] = {
    {"ng", 'm', 1, 9},  {"ug", 'm', 1, 6},    {"mg", 'm', 1, 3},     {"g", 'm', 1, 0},     {"kg", 'm', 1000, 0},   {"[lb_av]", 'm', 45359237, 5}, {"[oz_av]", 'm', 28349523125, 9},
    {"nm", 'l', 1, 9},  {"um", 'l', 1, 6},    {"mm", 'l', 1, 3},     {"cm", 'l', 1, 2},    {"dm", 'l', 1, 1},      {"m", 'l', 1, 0},              {"km", 'l', 1000, 0},
    {"[in_i]", 'l', 254, 4}, {"[ft_i]", 'l', 3048, 4}, {"[mi_i]", 'l', 1609344, 3},
    {"uL", 'v', 1, 6},  {"mL", 'v', 1, 3},    {"dL", 'v', 1, 1},     {"L", 'v', 1, 0},     {"ul", 'v', 1, 6},      {"ml", 'v', 1, 3},             {"dl", 'v', 1, 1},    {"l", 'v', 1, 0},
    {"ms", 't', 1, 3},  {"s", 't', 1, 0},     {"min", 't', 60, 0},   {"h", 't', 3600, 0},  {"d", 't', 86400, 0},   {"wk", 't', 604800, 0},        {"mo", 't', 2629800, 0}, {"a", 't', 31557600, 0},
    {"1", 'p', 1, 0},   {"%", 'p', 1, 2}};

WK_INLINE Text CodeOf(const UnitRow& row) {
  uint32_t n = 0;
  while (n < sizeof row.code && row.code[n] != 0) {
    ++n;
  }
  return {reinterpret_cast<const uint8_t*>(row.code), n};
}

// A calendar word's UCUM code; a year and a month only nearly are what their codes say.
bool WordCode(Text unit, Text* code, bool* inexact) {
  const Text words[][2] = {{Lit("year"), Lit("a")}, {Lit("month"), Lit("mo")},   {Lit("week"), Lit("wk")},  {Lit("day"), Lit("d")},
                           {Lit("hour"), Lit("h")}, {Lit("minute"), Lit("min")}, {Lit("second"), Lit("s")}, {Lit("millisecond"), Lit("ms")}};
  for (const auto& word : words) {
    if (Same(unit, word[0]) || (unit.n == word[0].n + 1 && unit.p[unit.n - 1] == 's' && StartsWith(unit, word[0]))) {
      *code = word[1];
      *inexact = word[1].n != 0 && (word[1].p[0] == 'a' || Is(word[1], "mo"));
      return true;
    }
  }
  return false;
}

struct Known {
  Text code;
  const UnitRow* row;
  bool inexact;
};
Known Find(Text unit) {
  Known known = {unit, nullptr, false};
  WordCode(unit, &known.code, &known.inexact);
  for (const UnitRow& row : kUnits) {
    if (Same(CodeOf(row), known.code)) {
      known.row = &row;
    }
  }
  return known;
}
WK_INLINE bool SameDimension(const Known& a, const Known& b) {
  return Same(a.code, b.code) || (a.row != nullptr && b.row != nullptr && a.row->dimension == b.row->dimension);
}
WK_INLINE Dec Factor(const UnitRow& row) { return {row.factor, row.scale}; }

WK_INLINE bool WideSpace(uint8_t b) { return b == ' ' || (b >= '\t' && b <= '\r'); }
Text TrimWide(Text t) {
  for (; t.n != 0 && WideSpace(t.p[0]); ++t.p, --t.n) {
  }
  for (; t.n != 0 && WideSpace(t.p[t.n - 1]); --t.n) {
  }
  return t;
}

}  // namespace

bool IsCalendarWord(Text unit) {
  Text code;
  bool inexact;
  return WordCode(unit, &code, &inexact);
}

bool ComparableUnits(Text a, Text b) { return SameDimension(Find(a), Find(b)); }

bool InOneUnit(const Amount& left, const Amount& right, bool exact, Dec* x, Dec* y, Text* unit) {
  Known a = Find(left.unit), b = Find(right.unit);
  *x = AmountValue(left);
  *y = AmountValue(right);
  *unit = a.code;
  if (exact && a.inexact != b.inexact) {
    return false;
  }
  if (Same(a.code, b.code)) {
    return true;
  }
  if (!SameDimension(a, b)) {
    return false;
  }
  if (a.inexact && b.inexact) {  // 12 months are a year, though neither is a number of seconds
    Dec* years = a.code.n == 1 ? x : y;
    *unit = Lit("mo");
    return MultiplyDec(Dec(*years), {12, 0}, years);
  }
  bool to_left = CompareDec(Factor(*a.row), Factor(*b.row)) > 0;
  Dec* moved = to_left ? y : x;
  const UnitRow &from = to_left ? *b.row : *a.row, &to = to_left ? *a.row : *b.row;
  *unit = to_left ? a.code : b.code;
  Dec base;
  return MultiplyDec(*moved, Factor(from), &base) && DivideDec(base, Factor(to), moved);
}

// `4 days`, `4.5 'mg'`, `-1`
bool ParseAmount(Text text, Amount* out) {
  text = TrimWide(text);
  uint32_t digits = 0;
  while (digits < text.n && (Digit(text.p[digits]) || text.p[digits] == '+' || text.p[digits] == '-' || text.p[digits] == '.')) {
    ++digits;
  }
  Dec value;
  if (!ParseDec({text.p, digits}, &value)) {
    return false;
  }
  *out = {static_cast<uint64_t>(value.m), static_cast<uint64_t>(static_cast<UWide>(value.m) >> 64), value.scale, 0, Lit("1")};
  Text unit = TrimWide({text.p + digits, text.n - digits});
  if (digits == text.n) {
    return true;
  }
  if (unit.n >= 2 && unit.p[0] == '\'' && unit.p[unit.n - 1] == '\'') {
    out->unit = {unit.p + 1, unit.n - 2};
    return true;
  }
  out->unit = unit;
  out->calendar = 1;
  return IsCalendarWord(unit);
}

Coll OneAmount(Context* c, const Dec& value, Text unit, bool calendar) {
  auto* amount = reinterpret_cast<Amount*>(NewBytes(c, sizeof(Amount)));
  if (amount == nullptr) {
    return Empty();
  }
  *amount = {static_cast<uint64_t>(value.m), static_cast<uint64_t>(static_cast<UWide>(value.m) >> 64), value.scale, calendar ? 1u : 0u, unit};
  return OneItem(c, MakeItem(amount, 0, 0, kAmount, 0));
}

}  // namespace weir::kernel
