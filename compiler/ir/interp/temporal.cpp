#include "compiler/ir/interp/temporal.h"

#include <algorithm>

namespace weir::ir {
namespace {

using Precision = Temporal::Precision;
using Kind = Temporal::Kind;

// Reads fixed-width digit groups from the left; every taker answers whether it found its piece.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}
  bool done() const { return at_ == text_.size(); }
  bool Take(char c) {
    if (!done() && text_[at_] == c) {
      ++at_;
      return true;
    }
    return false;
  }
  bool Peek(char c) const { return !done() && text_[at_] == c; }
  bool Digits(int count, int* out) {
    if (text_.size() - at_ < static_cast<size_t>(count)) {
      return false;
    }
    int value = 0;
    for (int i = 0; i < count; ++i) {
      char c = text_[at_ + static_cast<size_t>(i)];
      if (c < '0' || c > '9') {
        return false;
      }
      value = value * 10 + (c - '0');
    }
    at_ += static_cast<size_t>(count);
    *out = value;
    return true;
  }
  bool DigitNext() const { return !done() && text_[at_] >= '0' && text_[at_] <= '9'; }
  // `.digits`: at most nine are kept, FHIR and HL7 ask for less.
  bool Fraction(Temporal* t) {
    if (!Take('.') || !DigitNext()) {
      return false;
    }
    int64_t nanos = 0;
    int digits = 0;
    for (; DigitNext(); ++at_) {
      if (digits < 9) {
        nanos = nanos * 10 + (text_[at_] - '0');
        ++digits;
      }
    }
    t->fraction_digits = static_cast<uint8_t>(digits);
    for (int i = digits; i < 9; ++i) {
      nanos *= 10;
    }
    t->nanos = static_cast<int32_t>(nanos);
    t->precision = Precision::kFraction;
    return true;
  }
  // `Z`, `+hh:mm`, or for HL7 `+hhmm`; true when nothing is there.
  bool Offset(Temporal* t, bool colon) {
    if (done()) {
      return true;
    }
    if (Take('Z')) {
      t->zulu = true;
      t->offset_minutes = 0;
      return done();
    }
    bool minus = Peek('-');
    if (!Take('+') && !Take('-')) {
      return false;
    }
    int hours = 0, minutes = 0;
    if (!Digits(2, &hours) || (colon && !Take(':')) || !Digits(2, &minutes) || !done() ||
        minutes > 59) {
      return false;
    }
    int total = hours * 60 + minutes;
    t->offset_minutes = minus ? -total : total;
    t->minus_zero = minus && total == 0;
    return total <= 14 * 60;
  }

 private:
  std::string_view text_;
  size_t at_ = 0;
};

bool Possible(const Temporal& t) {
  return t.year >= 1 && t.month >= 1 && t.month <= 12 && t.day >= 1 &&
         t.day <= DaysInMonth(t.year, t.month) && t.hour <= 23 && t.minute <= 59 && t.second <= 59;
}

bool ReadDate(Reader& in, Temporal* t) {
  if (!in.Digits(4, &t->year)) {
    return false;
  }
  t->precision = Precision::kYear;
  if (in.Take('-')) {
    if (!in.Digits(2, &t->month)) {
      return false;
    }
    t->precision = Precision::kMonth;
    if (in.Take('-')) {
      if (!in.Digits(2, &t->day)) {
        return false;
      }
      t->precision = Precision::kDay;
    }
  }
  return true;
}

bool ReadTime(Reader& in, Temporal* t) {
  if (!in.Digits(2, &t->hour)) {
    return false;
  }
  t->precision = Precision::kHour;
  if (in.Take(':')) {
    if (!in.Digits(2, &t->minute)) {
      return false;
    }
    t->precision = Precision::kMinute;
    if (in.Take(':')) {
      if (!in.Digits(2, &t->second)) {
        return false;
      }
      t->precision = Precision::kSecond;
      if (in.Peek('.') && !in.Fraction(t)) {
        return false;
      }
    }
  }
  return true;
}

void Civil(int64_t days, Temporal* t) {  // days since 1970-01-01; the inverse of DaysFromCivil
  int64_t z = days + 719468;
  int64_t era = (z >= 0 ? z : z - 146096) / 146097;
  int64_t doe = z - era * 146097;
  int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  int64_t mp = (5 * doy + 2) / 153;
  t->day = static_cast<int>(doy - (153 * mp + 2) / 5 + 1);
  t->month = static_cast<int>(mp < 10 ? mp + 3 : mp - 9);
  t->year = static_cast<int>(yoe + era * 400 + (t->month <= 2 ? 1 : 0));
}

void SetLocal(int64_t seconds, Temporal* t) {
  int64_t days = seconds / 86400, rest = seconds % 86400;
  if (rest < 0) {
    rest += 86400;
    --days;
  }
  Civil(days, t);
  t->hour = static_cast<int>(rest / 3600);
  t->minute = static_cast<int>(rest / 60 % 60);
  t->second = static_cast<int>(rest % 60);
}

std::string Pad(int value, int width) {
  std::string text = std::to_string(value);
  return std::string(static_cast<size_t>(std::max(0, width - static_cast<int>(text.size()))), '0') +
         text;
}

// Seconds and fractions are one step of precision.
int Steps(const Temporal& t) {
  return std::min(static_cast<int>(t.precision), static_cast<int>(Precision::kSecond));
}

Temporal InUtc(Temporal t) {
  if (t.offset_minutes && t.precision >= Precision::kHour) {
    SetLocal(t.LocalSeconds() - *t.offset_minutes * 60, &t);
  }
  return t;
}

}  // namespace

int64_t DaysFromCivil(int year, int month, int day) {
  int64_t y = month <= 2 ? year - 1 : year;
  int64_t era = (y >= 0 ? y : y - 399) / 400;
  int64_t yoe = y - era * 400;
  int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

int DaysInMonth(int year, int month) {
  static constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[month - 1];
}

int64_t Temporal::LocalSeconds() const {
  return DaysFromCivil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
}

std::optional<Temporal> Temporal::ParseDate(std::string_view text) {
  Temporal t;
  Reader in(text);
  if (!ReadDate(in, &t) || !in.done() || !Possible(t)) {
    return std::nullopt;
  }
  return t;
}

std::optional<Temporal> Temporal::ParseDateTime(std::string_view text) {
  Temporal t;
  t.kind = Kind::kDateTime;
  Reader in(text);
  if (!ReadDate(in, &t)) {
    return std::nullopt;
  }
  if (in.Take('T') && !in.done()) {
    if (t.precision != Precision::kDay || !ReadTime(in, &t) || !in.Offset(&t, true)) {
      return std::nullopt;
    }
  }
  if (!in.done() || !Possible(t)) {
    return std::nullopt;
  }
  return t;
}

std::optional<Temporal> Temporal::ParseTime(std::string_view text) {
  Temporal t;
  t.kind = Kind::kTime;
  Reader in(text);
  in.Take('T');
  if (!ReadTime(in, &t) || !in.done() || !Possible(t)) {
    return std::nullopt;
  }
  return t;
}

std::optional<Temporal> Temporal::ParseHl7(std::string_view text) {
  Temporal t;
  t.kind = Kind::kDateTime;
  Reader in(text);
  if (!in.Digits(4, &t.year)) {
    return std::nullopt;
  }
  struct Step {
    int* field;
    Precision precision;
  };
  const Step steps[] = {{&t.month, Precision::kMonth},
                        {&t.day, Precision::kDay},
                        {&t.hour, Precision::kHour},
                        {&t.minute, Precision::kMinute},
                        {&t.second, Precision::kSecond}};
  for (const Step& step : steps) {
    if (!in.DigitNext()) {
      break;
    }
    if (!in.Digits(2, step.field)) {
      return std::nullopt;
    }
    t.precision = step.precision;
  }
  if (in.Peek('.') &&
      (t.precision != Precision::kSecond || !in.Fraction(&t) || t.fraction_digits > 4)) {
    return std::nullopt;
  }
  if (!in.Offset(&t, false) || t.zulu || !Possible(t)) {
    return std::nullopt;
  }
  return t;
}

std::optional<Temporal> Temporal::ParseHl7Time(std::string_view text) {
  Temporal t;
  t.kind = Kind::kTime;
  Reader in(text);
  if (!in.Digits(2, &t.hour)) {
    return std::nullopt;
  }
  t.precision = Precision::kHour;
  if (in.DigitNext()) {
    if (!in.Digits(2, &t.minute)) {
      return std::nullopt;
    }
    t.precision = Precision::kMinute;
    if (in.DigitNext()) {
      if (!in.Digits(2, &t.second)) {
        return std::nullopt;
      }
      t.precision = Precision::kSecond;
      if (in.Peek('.') && (!in.Fraction(&t) || t.fraction_digits > 4)) {
        return std::nullopt;
      }
    }
  }
  if (!in.Offset(&t, false) || t.zulu || !Possible(t)) {
    return std::nullopt;
  }
  return t;
}

std::string Temporal::ToString() const {
  std::string out;
  if (kind != Kind::kTime) {
    out = Pad(year, 4);
    if (precision >= Precision::kMonth) {
      out += "-" + Pad(month, 2);
    }
    if (precision >= Precision::kDay) {
      out += "-" + Pad(day, 2);
    }
    if (precision < Precision::kHour) {
      return out;
    }
    out += "T";
  }
  out += Pad(hour, 2);
  if (precision >= Precision::kMinute) {
    out += ":" + Pad(minute, 2);
  }
  if (precision >= Precision::kSecond) {
    out += ":" + Pad(second, 2);
  }
  if (precision == Precision::kFraction) {
    out += "." + Pad(nanos, 9).substr(0, fraction_digits);
  }
  if (zulu) {
    out += "Z";
  } else if (offset_minutes) {
    int size = *offset_minutes < 0 ? -*offset_minutes : *offset_minutes;
    out += (*offset_minutes < 0 || minus_zero ? "-" : "+") + Pad(size / 60, 2) + ":" +
           Pad(size % 60, 2);
  }
  return out;
}

int Temporal::PrecisionDigits() const {
  static constexpr int kDigits[] = {4, 6, 8, 10, 12, 14, 17};
  int digits = kDigits[static_cast<int>(precision)];
  return kind == Kind::kTime ? digits - 8 : digits;
}

std::optional<int> Compare(const Temporal& a, const Temporal& b) {
  if ((a.kind == Kind::kTime) != (b.kind == Kind::kTime)) {
    return std::nullopt;
  }
  bool a_timed = a.precision >= Precision::kHour, b_timed = b.precision >= Precision::kHour;
  if (a_timed && b_timed && a.offset_minutes.has_value() != b.offset_minutes.has_value()) {
    return std::nullopt;
  }
  Temporal x = a_timed && b_timed ? InUtc(a) : a, y = a_timed && b_timed ? InUtc(b) : b;
  const int left[] = {x.year, x.month, x.day, x.hour, x.minute, x.second};
  const int right[] = {y.year, y.month, y.day, y.hour, y.minute, y.second};
  for (int i = a.kind == Kind::kTime ? 3 : 0; i <= 5; ++i) {
    bool has_left = i <= Steps(a), has_right = i <= Steps(b);
    if (!has_left && !has_right) {
      return 0;
    }
    if (has_left != has_right) {
      return std::nullopt;
    }
    if (left[i] != right[i]) {
      return left[i] < right[i] ? -1 : 1;
    }
  }
  return x.nanos < y.nanos ? -1 : x.nanos > y.nanos ? 1 : 0;
}

std::optional<bool> Equal(const Temporal& a, const Temporal& b) {
  if ((a.kind == Kind::kTime) != (b.kind == Kind::kTime)) {
    return false;
  }
  auto order = Compare(a, b);
  return order ? std::optional<bool>(*order == 0) : std::nullopt;
}

bool Equivalent(const Temporal& a, const Temporal& b) {
  auto equal = Equal(a, b);
  return equal && *equal;
}

namespace {

struct Unit {
  std::string_view word;  // singular calendar word; plural adds `s`
  std::string_view code;  // definite UCUM code; "" when it may not be added to a date
  Precision step;
  int64_t nanos;  // of one unit, from day down
  int months;
};
constexpr Unit kUnits[] = {
    {"year", "", Precision::kYear, 0, 12},
    {"month", "", Precision::kMonth, 0, 1},
    {"week", "wk", Precision::kDay, 7 * 86400 * 1'000'000'000LL, 0},
    {"day", "d", Precision::kDay, 86400 * 1'000'000'000LL, 0},
    {"hour", "h", Precision::kHour, 3600 * 1'000'000'000LL, 0},
    {"minute", "min", Precision::kMinute, 60 * 1'000'000'000LL, 0},
    {"second", "s", Precision::kSecond, 1'000'000'000LL, 0},
    {"millisecond", "ms", Precision::kSecond, 1'000'000LL, 0},
};

const Unit* FindUnit(std::string_view unit) {
  std::string_view singular = unit;
  if (unit.size() > 2 && unit.back() == 's') {
    singular.remove_suffix(1);
  }
  for (const Unit& u : kUnits) {
    // A quoted calendar word ('month') is accepted as the word: the R4 suite does.
    if (u.word == unit || u.word == singular || (!u.code.empty() && u.code == unit)) {
      return &u;
    }
  }
  return nullptr;
}

std::optional<Temporal> AddMonths(Temporal t, int64_t months) {
  int64_t total = static_cast<int64_t>(t.year) * 12 + (t.month - 1) + months;
  if (total < 12 || total >= 10000LL * 12) {
    return std::nullopt;
  }
  t.year = static_cast<int>(total / 12);
  t.month = static_cast<int>(total % 12) + 1;
  t.day = std::min(t.day, DaysInMonth(t.year, t.month));
  return t;
}

}  // namespace

std::optional<Temporal> AddQuantity(const Temporal& value, const Decimal& amount,
                                    std::string_view unit, bool calendar, bool* bad_unit) {
  (void)calendar;
  const Unit* u = FindUnit(unit);
  if (u == nullptr || (value.kind == Kind::kTime && u->step < Precision::kHour)) {
    *bad_unit = true;
    return std::nullopt;
  }
  bool time = value.kind == Kind::kTime;
  // Decimals count for seconds and below only.
  auto whole = amount.RoundTo(0, Decimal::Round::kTruncate);
  if (!whole || !whole->ToInteger() || *whole->ToInteger() > 4'000'000'000'000LL ||
      *whole->ToInteger() < -4'000'000'000'000LL) {
    return std::nullopt;
  }
  int64_t count = *whole->ToInteger();
  if (u->months != 0) {
    int64_t months = count * u->months;
    if (value.precision == Precision::kYear) {
      months = months / 12 * 12;
    }
    return AddMonths(value, months);
  }
  // A coarser value is moved by the coarser unit: weeks and below become whole months or years.
  if (!time && value.precision < Precision::kDay) {
    __int128 days = static_cast<__int128>(count) * u->nanos / (86400 * 1'000'000'000LL);
    int64_t months = static_cast<int64_t>(days / 30);
    if (value.precision == Precision::kYear) {
      months = static_cast<int64_t>(days / 365) * 12;
    }
    return AddMonths(value, months);
  }
  __int128 nanos = static_cast<__int128>(count) * u->nanos;
  if (u->step == Precision::kSecond) {
    auto exact = Multiply(amount, Decimal{u->nanos, 0});
    auto rounded = exact ? exact->RoundTo(0, Decimal::Round::kTruncate) : std::nullopt;
    if (!rounded) {
      return std::nullopt;
    }
    nanos = rounded->mantissa;
  }
  // Below the written precision only whole steps count.
  static constexpr int64_t kStep[] = {0, 0, 86400, 3600, 60, 1, 0};
  if (value.precision < Precision::kSecond) {
    __int128 step =
        static_cast<__int128>(kStep[static_cast<int>(value.precision)]) * 1'000'000'000LL;
    nanos = nanos / step * step;
  }
  __int128 total =
      static_cast<__int128>(value.LocalSeconds()) * 1'000'000'000LL + value.nanos + nanos;
  if (time) {  // a time wraps around midnight
    __int128 day = static_cast<__int128>(86400) * 1'000'000'000LL;
    total = ((total % day) + day) % day;
  }
  __int128 seconds = total / 1'000'000'000LL;
  __int128 rest = total % 1'000'000'000LL;
  if (rest < 0) {
    rest += 1'000'000'000LL;
    --seconds;
  }
  if (!time && (seconds < static_cast<__int128>(DaysFromCivil(1, 1, 1)) * 86400 ||
                seconds >= static_cast<__int128>(DaysFromCivil(10000, 1, 1)) * 86400)) {
    return std::nullopt;
  }
  Temporal result = value;
  SetLocal(static_cast<int64_t>(seconds), &result);
  if (time) {
    result.year = result.month = result.day = 1;
  }
  result.nanos = static_cast<int32_t>(rest);
  if (result.nanos != 0 && value.precision == Precision::kSecond) {
    result.precision = Precision::kFraction;
    result.fraction_digits = 3;
  }
  return result;
}

std::optional<Temporal> Boundary(const Temporal& value, bool high, std::optional<int64_t> digits) {
  Temporal t = value;
  bool time = t.kind == Kind::kTime;
  int64_t wanted = digits.value_or(time ? 9 : t.kind == Kind::kDate ? 8 : 17);
  static constexpr int kDigits[] = {4, 6, 8, 10, 12, 14, 17};
  int target = -1;
  for (int i = time ? 3 : 0; i <= 6; ++i) {
    if (kDigits[i] - (time ? 8 : 0) == wanted) {
      target = i;
    }
  }
  if (target < 0 || (t.kind == Kind::kDate && target > static_cast<int>(Precision::kDay))) {
    return std::nullopt;
  }
  Precision had = t.precision;
  if (had < Precision::kMonth) {
    t.month = high ? 12 : 1;
  }
  if (had < Precision::kDay) {
    t.day = high ? DaysInMonth(t.year, t.month) : 1;
  }
  if (had < Precision::kHour) {
    t.hour = high ? 23 : 0;
  }
  if (had < Precision::kMinute) {
    t.minute = high ? 59 : 0;
  }
  if (had < Precision::kSecond) {
    t.second = high ? 59 : 0;
  }
  if (had < Precision::kFraction) {
    t.nanos = high ? 999'000'000 : 0;
  }
  t.precision = static_cast<Precision>(target);
  if (t.precision == Precision::kFraction) {
    t.fraction_digits = 3;
    t.nanos = t.nanos / 1'000'000 * 1'000'000;
  } else {
    t.fraction_digits = 0;
    t.nanos = 0;
  }
  if (t.precision < Precision::kHour) {
    t.offset_minutes.reset();
    t.zulu = false;
  } else if (t.kind == Kind::kDateTime && !t.offset_minutes) {
    t.offset_minutes = high ? -12 * 60 : 14 * 60;
  }
  return t;
}

int32_t OffsetAt(const Zone& zone, int64_t local_seconds) {
  if (zone.transitions.empty()) {
    return 0;
  }
  // The first rule whose instants contain the local time is the earlier instant of an overlap. In a
  // gap no rule contains it: the rule that ended before the gap stands.
  int32_t before = zone.transitions.front().second;
  for (size_t i = 0; i < zone.transitions.size(); ++i) {
    auto [from, offset] = zone.transitions[i];
    int64_t instant = local_seconds - offset;
    if (i > 0 && instant < from) {
      return before;
    }
    bool last = i + 1 == zone.transitions.size();
    if (last || instant < zone.transitions[i + 1].first) {
      return offset;
    }
    before = offset;
  }
  return before;
}

}  // namespace weir::ir
