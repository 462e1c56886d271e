// HL7 and ISO 8601 time stamps: read, checked against the calendar, placed in a compiled-in zone, written.
#include "runtime/kernel/rt.h"

namespace weir::kernel {
namespace {

struct Scan {
  const uint8_t* p;
  const uint8_t* end;
  bool Done() const { return p == end; }
  bool At(uint8_t c) const { return p != end && *p == c; }
  bool AtDigit() const { return p != end && Digit(*p); }
  bool Skip(uint8_t c) {
    bool is = At(c);
    p += is ? 1 : 0;
    return is;
  }
  bool Number(int digits, int32_t* out) {
    if (end - p < digits) {
      return false;
    }
    int32_t value = 0;
    for (int i = 0; i < digits; ++i, ++p) {
      if (!Digit(*p)) {
        return false;
      }
      value = value * 10 + (*p - '0');
    }
    *out = value;
    return true;
  }
};

bool ReadFraction(Scan& in, Temporal* t) {
  if (!in.Skip('.') || !in.AtDigit()) {
    return false;
  }
  int32_t nanos = 0;
  uint8_t digits = 0;
  for (; in.AtDigit(); ++in.p) {
    if (digits < 9) {
      nanos = nanos * 10 + (*in.p - '0');
      ++digits;
    }
  }
  t->digits = digits;
  for (uint8_t i = digits; i < 9; ++i) {
    nanos *= 10;
  }
  t->nanos = nanos;
  t->precision = kFraction;
  return true;
}

bool ReadOffset(Scan& in, Temporal* t, bool colon) {
  if (in.Done()) {
    return true;
  }
  if (in.Skip('Z')) {
    t->zulu = t->has_offset = 1;
    t->offset = 0;
    return in.Done();
  }
  bool minus = in.At('-');
  int32_t hours = 0, minutes = 0;
  if (!in.Skip('+') && !in.Skip('-')) {
    return false;
  }
  if (!in.Number(2, &hours) || (colon && !in.Skip(':')) || !in.Number(2, &minutes) || !in.Done() || minutes > 59) {
    return false;
  }
  int32_t total = hours * 60 + minutes;
  t->has_offset = 1;
  t->offset = minus ? -total : total;
  t->minus_zero = minus && total == 0;
  return total <= 14 * 60;
}

int32_t MonthDays(int32_t year, int32_t month) {
  if (month == 2) {
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
  }
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

bool Exists(const Temporal& t) {
  return t.year >= 1 && t.month >= 1 && t.month <= 12 && t.day >= 1 && t.day <= MonthDays(t.year, t.month) && t.hour <= 23 &&
         t.minute <= 59 && t.second <= 59;
}

WK_INLINE Temporal Blank0() { return {1, 1, 1, 0, 0, 0, 0, 0, kYear, 0, 0, 0, 0, 0}; }

bool ReadClock(Scan& in, Temporal* t) {
  if (!in.Number(2, &t->hour)) {
    return false;
  }
  t->precision = kHour;
  if (!in.Skip(':')) {
    return true;
  }
  if (!in.Number(2, &t->minute)) {
    return false;
  }
  t->precision = kMinute;
  if (!in.Skip(':')) {
    return true;
  }
  if (!in.Number(2, &t->second)) {
    return false;
  }
  t->precision = kSecond;
  return !in.At('.') || ReadFraction(in, t);
}

WK_INLINE uint8_t* TwoDigits(uint8_t* out, int32_t value) {
  out[0] = static_cast<uint8_t>('0' + value / 10 % 10);
  out[1] = static_cast<uint8_t>('0' + value % 10);
  return out + 2;
}

}  // namespace

// Eight digits as a number of two digits each, first pair lowest byte; false when one is none.
WK_INLINE bool Pairs(const uint8_t* p, uint64_t* out) {
  uint64_t word;
  __builtin_memcpy(&word, p, 8);
  uint64_t digits = word - 0x3030303030303030;
  if (((word & 0xF0F0F0F0F0F0F0F0) != 0x3030303030303030) || ((digits + 0x0606060606060606) & 0xF0F0F0F0F0F0F0F0) != 0) {
    return false;
  }
  *out = (digits * 10 + (digits >> 8)) & 0x00FF00FF00FF00FF;  // no pair exceeds 99, so none carries
  return true;
}
WK_INLINE int32_t Pair(uint64_t pairs, int i) { return static_cast<int32_t>(pairs >> (16 * i) & 0xFF); }

bool ParseHl7(Text text, Temporal* t) {
  *t = Blank0();
  uint64_t date, clock;
  if ((text.n == 8 || text.n == 14) && Pairs(text.p, &date)) {  // what nearly all of them are
    t->year = Pair(date, 0) * 100 + Pair(date, 1);
    t->month = Pair(date, 2);
    t->day = Pair(date, 3);
    t->precision = kDay;
    if (text.n == 8) {
      return Exists(*t);
    }
    if (Pairs(text.p + 6, &clock)) {
      t->hour = Pair(clock, 1);
      t->minute = Pair(clock, 2);
      t->second = Pair(clock, 3);
      t->precision = kSecond;
      return Exists(*t);
    }
    *t = Blank0();
  }
  Scan in = {text.p, text.p + text.n};
  if (!in.Number(4, &t->year)) {
    return false;
  }
  int32_t* steps[5] = {&t->month, &t->day, &t->hour, &t->minute, &t->second};
  for (int i = 0; i < 5 && in.AtDigit(); ++i) {
    if (!in.Number(2, steps[i])) {
      return false;
    }
    t->precision = static_cast<uint8_t>(i + 1);
  }
  if (in.At('.') && (t->precision != kSecond || !ReadFraction(in, t) || t->digits > 4)) {
    return false;
  }
  return ReadOffset(in, t, false) && !t->zulu && Exists(*t);
}

bool ParseIso(Text text, Temporal* t) {
  *t = Blank0();
  Scan in = {text.p, text.p + text.n};
  if (!in.Number(4, &t->year)) {
    return false;
  }
  if (in.Skip('-')) {
    if (!in.Number(2, &t->month)) {
      return false;
    }
    t->precision = kMonth;
    if (in.Skip('-')) {
      if (!in.Number(2, &t->day)) {
        return false;
      }
      t->precision = kDay;
    }
  }
  if (in.Skip('T') && !in.Done()) {
    if (t->precision != kDay || !ReadClock(in, t) || !ReadOffset(in, t, true)) {
      return false;
    }
  }
  return in.Done() && Exists(*t);
}

bool ParseHl7Time(Text text, Temporal* t) {
  *t = Blank0();
  t->is_time = 1;
  Scan in = {text.p, text.p + text.n};
  int32_t* steps[3] = {&t->hour, &t->minute, &t->second};
  for (int i = 0; i < 3 && (i == 0 || in.AtDigit()); ++i) {
    if (!in.Number(2, steps[i])) {
      return false;
    }
    t->precision = static_cast<uint8_t>(kHour + i);
  }
  if (in.At('.') && t->precision == kSecond && (!ReadFraction(in, t) || t->digits > 4)) {
    return false;
  }
  return ReadOffset(in, t, false) && !t->zulu && Exists(*t);
}

bool ParseIsoTime(Text text, Temporal* t) {
  *t = Blank0();
  t->is_time = 1;
  Scan in = {text.p, text.p + text.n};
  in.Skip('T');
  return ReadClock(in, t) && in.Done() && Exists(*t);
}

int64_t LocalSeconds(const Temporal& t) {
  // Days by counting years from March, so that the leap day is last.
  int64_t y = t.year - (t.month <= 2 ? 1 : 0);  // at least 0
  int64_t m = (t.month + 9) % 12;
  int64_t days = 365 * y + y / 4 - y / 100 + y / 400 + (m * 306 + 5) / 10 + t.day - 1 - 719468;
  return days * 86400 + t.hour * 3600 + t.minute * 60 + t.second;
}

int32_t OffsetAt(const Zone* zone, int64_t local) {
  // The first rule that holds at its own reading of `local`: at an overlap the earlier instant. In a gap, before it.
  const Transition* rules = zone->transitions;
  // No offset reaches a day, so no rule that ended a day before can be it.
  uint32_t low = 0, high = zone->count;
  while (low + 1 < high) {
    uint32_t middle = (low + high) / 2;
    (rules[middle].from <= local - 86400 ? low : high) = middle;
  }
  for (uint32_t i = low; i < zone->count; ++i) {
    int64_t instant = local - rules[i].offset;
    if (i != 0 && instant < rules[i].from) {
      return static_cast<int32_t>(rules[i - 1].offset);
    }
    if (i + 1 == zone->count || instant < rules[i + 1].from) {
      return static_cast<int32_t>(rules[i].offset);
    }
  }
  return 0;
}

uint32_t Format(const Temporal& t, uint8_t* out) {
  uint8_t* p = out;
  if (t.precision == kDay && !t.is_time) {
    TwoDigits(TwoDigits(p, t.year / 100), t.year % 100);
    p[4] = p[7] = '-';
    TwoDigits(p + 5, t.month);
    TwoDigits(p + 8, t.day);
    return 10;
  }
  if (!t.is_time) {
    p = TwoDigits(TwoDigits(p, t.year / 100), t.year % 100);
    if (t.precision >= kMonth) {
      *p++ = '-';
      p = TwoDigits(p, t.month);
    }
    if (t.precision >= kDay) {
      *p++ = '-';
      p = TwoDigits(p, t.day);
    }
    if (t.precision < kHour) {
      return static_cast<uint32_t>(p - out);
    }
    *p++ = 'T';
  }
  p = TwoDigits(p, t.hour);
  if (t.precision >= kMinute) {
    *p++ = ':';
    p = TwoDigits(p, t.minute);
  }
  if (t.precision >= kSecond) {
    *p++ = ':';
    p = TwoDigits(p, t.second);
  }
  if (t.precision == kFraction) {
    *p++ = '.';
    int32_t unit = 100000000;
    for (uint8_t i = 0; i < t.digits; ++i, unit /= 10) {
      *p++ = static_cast<uint8_t>('0' + t.nanos / unit % 10);
    }
  }
  if (t.zulu) {
    *p++ = 'Z';
  } else if (t.has_offset) {
    int32_t size = t.offset < 0 ? -t.offset : t.offset;
    *p++ = t.offset < 0 || t.minus_zero ? '-' : '+';
    p = TwoDigits(p, size / 60);
    *p++ = ':';
    p = TwoDigits(p, size % 60);
  }
  return static_cast<uint32_t>(p - out);
}

}  // namespace weir::kernel
