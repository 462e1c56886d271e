// Date, DateTime and Time values: order with unknown parts, arithmetic with calendar units, boundaries.
#include "runtime/kernel/fp.h"

namespace weir::kernel {
namespace {

constexpr int64_t kDaySeconds = 86400, kNanos = 1000000000;
constexpr int64_t kFirstSecond = -62135596800, kEndSecond = 253402300800;  // 0001-01-01 and 10000-01-01

struct CalendarUnit {
  Text word, code;  // singular word; UCUM code of a definite duration, empty when it has no calendar meaning
  uint8_t step;     // Precision
  int64_t nanos;    // of one unit, from weeks down
  int32_t months;
};

WK_INLINE bool MatchesWord(Text unit, Text word) {
  return Same(unit, word) || (unit.n > 2 && unit.n == word.n + 1 && unit.p[word.n] == 's' && StartsWith(unit, word));
}

bool FindUnit(Text unit, CalendarUnit* out) {
  const CalendarUnit units[] = {{Lit("year"), Lit(""), kYear, 0, 12},
                                {Lit("month"), Lit(""), kMonth, 0, 1},
                                {Lit("week"), Lit("wk"), kDay, 7 * kDaySeconds * kNanos, 0},
                                {Lit("day"), Lit("d"), kDay, kDaySeconds * kNanos, 0},
                                {Lit("hour"), Lit("h"), kHour, 3600 * kNanos, 0},
                                {Lit("minute"), Lit("min"), kMinute, 60 * kNanos, 0},
                                {Lit("second"), Lit("s"), kSecond, kNanos, 0},
                                {Lit("millisecond"), Lit("ms"), kSecond, 1000000, 0}};
  for (const CalendarUnit& u : units) {
    if (MatchesWord(unit, u.word) || (u.code.n != 0 && Same(unit, u.code))) {
      *out = u;
      return true;
    }
  }
  return false;
}

int32_t MonthDays(int32_t year, int32_t month) {
  if (month == 2) {
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
  }
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

// Seconds since 1970 to the local fields; day by binary search over LocalSeconds, which is monotonic.
void SetLocal(int64_t seconds, Temporal* t) {
  int64_t days = seconds / kDaySeconds, rest = seconds % kDaySeconds;
  if (rest < 0) {
    rest += kDaySeconds;
    --days;
  }
  days += 146097;  // 400 years on, where every year is positive; the calendar repeats
  Temporal probe = {1, 1, 1, 0, 0, 0, 0, 0, kYear, 0, 0, 0, 0, 0};
  int32_t low = 300, high = 10500;  // years: low begins on or before the day, high after it
  while (high - low > 1) {
    probe.year = low + (high - low) / 2;
    (LocalSeconds(probe) / kDaySeconds <= days ? low : high) = probe.year;
  }
  probe.year = low;
  int64_t left = days - LocalSeconds(probe) / kDaySeconds;
  int32_t month = 1;
  while (left >= MonthDays(low, month)) {
    left -= MonthDays(low, month++);
  }
  t->year = low - 400;
  t->month = month;
  t->day = static_cast<int32_t>(left) + 1;
  t->hour = static_cast<int32_t>(rest / 3600);
  t->minute = static_cast<int32_t>(rest / 60 % 60);
  t->second = static_cast<int32_t>(rest % 60);
}

WK_INLINE int64_t FloorDivide(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

Coll Moved(Context* c, const Temporal& t, uint8_t kind) {
  bool ok = true;
  Item item = MomentItem(c, t, kind, &ok);
  return ok ? OneItem(c, item) : Empty();
}

Coll MoveMonths(Context* c, Temporal t, uint8_t kind, int64_t months) {
  int64_t total = int64_t{t.year} * 12 + (t.month - 1) + months;
  if (total < 12 || total >= 10000 * 12) {
    return Empty();
  }
  t.year = static_cast<int32_t>(total / 12);
  t.month = static_cast<int32_t>(total % 12) + 1;
  int32_t last = MonthDays(t.year, t.month);
  t.day = t.day < last ? t.day : last;
  return Moved(c, t, kind);
}

}  // namespace

Item MomentItem(Context* c, const Temporal& t, uint8_t kind, bool* ok) {
  auto* copy = reinterpret_cast<Temporal*>(NewBytes(c, sizeof(Temporal)));
  *ok = copy != nullptr;
  if (*ok) {
    *copy = t;
    copy->is_time = kind == kTimeMoment ? 1 : 0;
  }
  return MakeItem(copy, 0, 0, kMoment, kind);
}

bool IsDateText(Text text, Temporal* out) { return !HasByte(text, 'T') && ParseIso(text, out); }

bool OrderMoments(const Item& a, const Item& b, int* order) {
  if ((a.level == kTimeMoment) != (b.level == kTimeMoment)) {
    return false;
  }
  Temporal x = MomentOf(a), y = MomentOf(b);
  if (IsTimed(x) && IsTimed(y)) {
    if (x.has_offset != y.has_offset) {
      return false;
    }
    Temporal* both[] = {&x, &y};
    for (Temporal* t : both) {
      if (t->has_offset) {
        SetLocal(LocalSeconds(*t) - t->offset * 60, t);
      }
    }
  }
  // Seconds and fractions are one step of precision.
  int last_x = x.precision < kSecond ? x.precision : kSecond, last_y = y.precision < kSecond ? y.precision : kSecond;
  const int32_t left[] = {x.year, x.month, x.day, x.hour, x.minute, x.second};
  const int32_t right[] = {y.year, y.month, y.day, y.hour, y.minute, y.second};
  for (int i = a.level == kTimeMoment ? 3 : 0; i < 6; ++i) {
    if (i > last_x && i > last_y) {
      *order = 0;
      return true;
    }
    if (i > last_x || i > last_y) {
      return false;
    }
    if (left[i] != right[i]) {
      *order = left[i] < right[i] ? -1 : 1;
      return true;
    }
  }
  *order = x.nanos < y.nanos ? -1 : x.nanos > y.nanos ? 1 : 0;
  return true;
}

Coll MoveMoment(Context* c, const Item& moment, const Dec& amount, Text unit) {
  CalendarUnit u;
  bool time = moment.level == kTimeMoment;
  if (!FindUnit(unit, &u) || (time && u.step < kHour)) {
    Fail(c);  // a date cannot be moved by this unit
    return Empty();
  }
  Temporal t = MomentOf(moment);
  Dec whole;
  int64_t count;
  constexpr int64_t kMost = 4000000000000;
  if (!RoundDec(amount, 0, kTruncate, &whole) || !IntegerOf(whole, &count) || count > kMost || count < -kMost) {
    return Empty();
  }
  if (u.months != 0) {
    int64_t months = count * u.months;
    return MoveMonths(c, t, moment.level, t.precision == kYear ? months / 12 * 12 : months);
  }
  // A coarser value is moved by the coarser unit: what is shorter than a month counts as whole months or years.
  if (!time && t.precision < kDay) {
    int64_t per_day = kDaySeconds * kNanos / u.nanos;  // 0 for weeks
    int64_t days = per_day == 0 ? count * 7 : count / per_day;
    return MoveMonths(c, t, moment.level, t.precision == kYear ? days / 365 * 12 : days / 30);
  }
  // Seconds and nanoseconds to move by, both with the sign of the amount; decimals count for seconds and below only.
  int64_t seconds, nanos = 0;
  if (u.step == kSecond) {
    Dec exact, cut;
    if (!MultiplyDec(amount, {u.nanos, 0}, &exact) || !RoundDec(exact, 0, kTruncate, &cut)) {
      return Empty();
    }
    bool negative = cut.m < 0;
    UWide rest, quotient = DivideWide(negative ? -static_cast<UWide>(cut.m) : static_cast<UWide>(cut.m), kNanos, &rest);
    seconds = negative ? -static_cast<int64_t>(quotient) : static_cast<int64_t>(quotient);
    nanos = negative ? -static_cast<int64_t>(rest) : static_cast<int64_t>(rest);
  } else {
    seconds = count * (u.nanos / kNanos);
  }
  if (t.precision < kSecond) {  // below the written precision only whole steps count
    int64_t step = t.precision == kDay ? kDaySeconds : t.precision == kHour ? 3600 : 60;
    seconds = seconds / step * step;
    nanos = 0;
  }
  nanos += t.nanos;
  seconds += LocalSeconds(t) + FloorDivide(nanos, kNanos);
  nanos -= FloorDivide(nanos, kNanos) * kNanos;
  if (time) {  // a time wraps around midnight
    seconds -= FloorDivide(seconds, kDaySeconds) * kDaySeconds;
  } else if (seconds < kFirstSecond || seconds >= kEndSecond) {
    return Empty();
  }
  SetLocal(seconds, &t);
  if (time) {
    t.year = t.month = t.day = 1;
  }
  t.nanos = static_cast<int32_t>(nanos);
  if (nanos != 0 && t.precision == kSecond) {
    t.precision = kFraction;
    t.digits = 3;
  }
  return Moved(c, t, moment.level);
}

Coll MomentBoundary(Context* c, const Item& moment, bool high, bool has_digits, int64_t digits) {
  Temporal t = MomentOf(moment);
  bool time = moment.level == kTimeMoment, date = moment.level == kDateMoment;
  int64_t wanted = has_digits ? digits : time ? 9 : date ? 8 : 17;
  const int64_t by_precision[] = {4, 6, 8, 10, 12, 14, 17};
  int target = -1;
  for (int i = time ? kHour : kYear; i <= (date ? kDay : kFraction); ++i) {
    target = by_precision[i] - (time ? 8 : 0) == wanted ? i : target;
  }
  if (target < 0) {
    return Empty();
  }
  uint8_t had = t.precision;
  t.month = had < kMonth ? (high ? 12 : 1) : t.month;
  t.day = had < kDay ? (high ? MonthDays(t.year, t.month) : 1) : t.day;
  t.hour = had < kHour ? (high ? 23 : 0) : t.hour;
  t.minute = had < kMinute ? (high ? 59 : 0) : t.minute;
  t.second = had < kSecond ? (high ? 59 : 0) : t.second;
  t.nanos = had < kFraction ? (high ? 999000000 : 0) : t.nanos;
  t.precision = static_cast<uint8_t>(target);
  bool fraction = target == kFraction;
  t.digits = fraction ? 3 : 0;
  t.nanos = fraction ? t.nanos / 1000000 * 1000000 : 0;
  if (target < kHour) {
    t.has_offset = t.zulu = 0;
    t.offset = 0;
  } else if (moment.level == kDateTimeMoment && !t.has_offset) {  // the zones that reach furthest
    t.has_offset = 1;
    t.offset = high ? -12 * 60 : 14 * 60;
  }
  return Moved(c, t, moment.level);
}

int32_t PrecisionDigits(const Item& moment) {
  const int32_t digits[] = {4, 6, 8, 10, 12, 14, 17};
  return digits[MomentOf(moment).precision] - (moment.level == kTimeMoment ? 8 : 0);
}

}  // namespace weir::kernel
