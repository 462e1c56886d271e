#include "runtime/operate/when.h"

#include <chrono>
#include <cstdio>
#include <limits>

namespace weir::operate {
namespace {

constexpr int64_t kSecond = 1'000'000;

bool Digits(std::string_view text, size_t at, size_t count, int* value) {
  if (text.size() < at + count) {
    return false;
  }
  *value = 0;
  for (const char c : text.substr(at, count)) {
    if (c < '0' || c > '9') {
      return false;
    }
    *value = *value * 10 + (c - '0');
  }
  return true;
}

// `Z`, `+02:00` or nothing, in seconds.
bool Offset(std::string_view text, int* seconds) {
  int hours = 0, minutes = 0;
  *seconds = 0;
  if (text.empty() || text == "Z") {
    return true;
  }
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':' || !Digits(text, 1, 2, &hours) || !Digits(text, 4, 2, &minutes)) {
    return false;
  }
  *seconds = (text[0] == '-' ? -60 : 60) * (60 * hours + minutes);
  return hours <= 14 && minutes < 60;
}

bool Absolute(std::string_view text, int64_t* us) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, offset = 0;
  int64_t fraction = 0;
  if (!Digits(text, 0, 4, &year) || text.size() < 10 || text[4] != '-' || !Digits(text, 5, 2, &month) || text[7] != '-' || !Digits(text, 8, 2, &day)) {
    return false;
  }
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  size_t at = 10;
  if (text.size() > at) {
    if (text[at] != 'T' || !Digits(text, 11, 2, &hour) || text.size() < 16 || text[13] != ':' || !Digits(text, 14, 2, &minute)) {
      return false;
    }
    at = 16;
    if (text.size() > at && text[at] == ':') {
      if (!Digits(text, 17, 2, &second)) {
        return false;
      }
      at = 19;
      if (text.size() > at && text[at] == '.') {
        int64_t unit = kSecond / 10;
        for (++at; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, unit /= 10) {
          fraction += (text[at] - '0') * unit;
        }
      }
    }
    if (!Offset(text.substr(at), &offset)) {
      return false;
    }
  }
  if (!date.ok() || hour > 23 || minute > 59 || second > 59) {
    return false;
  }
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  *us = (days * 86'400 + hour * 3600 + minute * 60 + second - offset) * kSecond + fraction;
  return true;
}

bool Relative(std::string_view text, int64_t now_us, int64_t* us) {
  const size_t unit = std::string_view("smhd").find(text.empty() ? ' ' : text.back());
  int64_t count = 0;
  if (text.size() < 2 || text.size() > 7 || unit == std::string_view::npos) {
    return false;
  }
  for (const char c : text.substr(0, text.size() - 1)) {
    if (c < '0' || c > '9') {
      return false;
    }
    count = count * 10 + (c - '0');
  }
  constexpr int64_t kUnits[] = {1, 60, 3600, 86'400};
  *us = now_us - count * kUnits[unit] * kSecond;
  return true;
}

}  // namespace

Result<int64_t> ParseWhen(std::string_view text, int64_t now_us) {
  int64_t us = 0;
  if (!Absolute(text, &us) && !Relative(text, now_us, &us)) {
    return Error{"`" + std::string(text) + "` is no time: write 2026-10-18T04:00:00Z, or 15m, 2h, 7d ago"};
  }
  return us;
}

std::string FormatTime(int64_t us) {
  const auto point = std::chrono::sys_time<std::chrono::microseconds>(std::chrono::microseconds(us));
  const auto day = std::chrono::floor<std::chrono::days>(point);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(point - day);
  char text[40];
  int size = snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                      static_cast<unsigned>(date.day()), static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                      static_cast<int>(time.seconds().count()));
  std::string out(text, static_cast<size_t>(size));
  if (time.subseconds().count() != 0) {
    snprintf(text, sizeof text, ".%06d", static_cast<int>(time.subseconds().count()));
    out += text;
  }
  return out + "Z";
}

}  // namespace weir::operate
