#include "compiler/ir/interp/units.h"

namespace weir::ir {
namespace {

struct Unit {
  std::string_view code;
  char dimension;           // mass, length, volume, time, p (pure)
  std::string_view factor;  // in the dimension's base unit
};
constexpr Unit kUnits[] = {
    {"ng", 'm', "0.000000001"},
    {"ug", 'm', "0.000001"},
    {"mg", 'm', "0.001"},
    {"g", 'm', "1"},
    {"kg", 'm', "1000"},
    {"[lb_av]", 'm', "453.59237"},
    {"[oz_av]", 'm', "28.349523125"},
    {"nm", 'l', "0.000000001"},
    {"um", 'l', "0.000001"},
    {"mm", 'l', "0.001"},
    {"cm", 'l', "0.01"},
    {"dm", 'l', "0.1"},
    {"m", 'l', "1"},
    {"km", 'l', "1000"},
    {"[in_i]", 'l', "0.0254"},
    {"[ft_i]", 'l', "0.3048"},
    {"[mi_i]", 'l', "1609.344"},
    {"uL", 'v', "0.000001"},
    {"mL", 'v', "0.001"},
    {"dL", 'v', "0.1"},
    {"L", 'v', "1"},
    {"ul", 'v', "0.000001"},
    {"ml", 'v', "0.001"},
    {"dl", 'v', "0.1"},
    {"l", 'v', "1"},
    {"ms", 't', "0.001"},
    {"s", 't', "1"},
    {"min", 't', "60"},
    {"h", 't', "3600"},
    {"d", 't', "86400"},
    {"wk", 't', "604800"},
    {"mo", 't', "2629800"},
    {"a", 't', "31557600"},
    {"1", 'p', "1"},
    {"%", 'p', "0.01"},
};
struct Word {
  std::string_view word, code;
  bool inexact;
};
constexpr Word kWords[] = {{"year", "a", true},    {"month", "mo", true},
                           {"week", "wk", false},  {"day", "d", false},
                           {"hour", "h", false},   {"minute", "min", false},
                           {"second", "s", false}, {"millisecond", "ms", false}};

const Word* FindWord(std::string_view unit) {
  for (const Word& w : kWords) {
    if (unit == w.word ||
        (unit.size() == w.word.size() + 1 && unit.back() == 's' && unit.starts_with(w.word))) {
      return &w;
    }
  }
  return nullptr;
}

struct Known {
  std::string_view code;
  const Unit* unit = nullptr;
  bool inexact_word = false;
};
Known Find(std::string_view unit) {
  Known known{unit};
  if (const Word* word = FindWord(unit)) {
    known.code = word->code;
    known.inexact_word = word->inexact;
  }
  for (const Unit& u : kUnits) {
    if (u.code == known.code) {
      known.unit = &u;
    }
  }
  return known;
}

}  // namespace

bool IsCalendarWord(std::string_view unit) { return FindWord(unit) != nullptr; }

bool Comparable(const Quantity& left, const Quantity& right) {
  Known a = Find(left.unit), b = Find(right.unit);
  return a.code == b.code ||
         (a.unit != nullptr && b.unit != nullptr && a.unit->dimension == b.unit->dimension);
}

std::optional<SameUnit> InOneUnit(const Quantity& left, const Quantity& right, bool exact) {
  Known a = Find(left.unit), b = Find(right.unit);
  if (exact && a.inexact_word != b.inexact_word) {
    return std::nullopt;
  }
  if (a.code == b.code) {
    return SameUnit{left.value, right.value, a.code};
  }
  if (!Comparable(left, right)) {
    return std::nullopt;
  }
  // 12 months are a year, though neither is a number of seconds.
  if (a.inexact_word && b.inexact_word) {
    auto twelve = Decimal::FromInteger(12);
    auto x = a.code == "a" ? Multiply(left.value, twelve) : left.value;
    auto y = b.code == "a" ? Multiply(right.value, twelve) : right.value;
    return x && y ? std::optional<SameUnit>(SameUnit{*x, *y, "mo"}) : std::nullopt;
  }
  auto fa = Decimal::Parse(a.unit->factor), fb = Decimal::Parse(b.unit->factor);
  bool to_left = Compare(*fa, *fb) > 0;
  auto convert = [](const Decimal& value, const Decimal& from,
                    const Decimal& to) -> std::optional<Decimal> {
    auto base = Multiply(value, from);
    return base ? Divide(*base, to) : std::nullopt;
  };
  auto x = to_left ? std::optional<Decimal>(left.value) : convert(left.value, *fa, *fb);
  auto y = to_left ? convert(right.value, *fb, *fa) : std::optional<Decimal>(right.value);
  return x && y ? std::optional<SameUnit>(SameUnit{*x, *y, to_left ? a.code : b.code})
                : std::nullopt;
}

}  // namespace weir::ir
