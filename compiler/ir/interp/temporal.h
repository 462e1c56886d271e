// Dates, date-times and times with the precision and offset they were written with. Comparison is
// three-valued: nothing when the answer hangs on what was not written.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "compiler/ir/interp/decimal.h"
#include "compiler/ir/ir.h"

namespace weir::ir {

struct Temporal {
  enum class Kind : uint8_t { kDate, kDateTime, kTime };
  // Precision of what was written; kFraction adds `fraction_digits`.
  enum class Precision : uint8_t { kYear, kMonth, kDay, kHour, kMinute, kSecond, kFraction };

  Kind kind = Kind::kDate;
  Precision precision = Precision::kYear;
  int year = 1, month = 1, day = 1, hour = 0, minute = 0, second = 0;
  int32_t nanos = 0;
  uint8_t fraction_digits = 0;
  std::optional<int> offset_minutes;
  bool zulu = false;        // written `Z`
  bool minus_zero = false;  // written `-00:00`, which is kept

  // FHIRPath / FHIR text: `2014-01-05`, `2014-01-05T10:30:00.000Z`, `2014T`, `10:30`; nothing when
  // impossible.
  static std::optional<Temporal> ParseDate(std::string_view text);
  static std::optional<Temporal> ParseDateTime(
      std::string_view text);  // a date alone is accepted too
  static std::optional<Temporal> ParseTime(std::string_view text);
  // HL7 DTM `YYYY[MM[DD[HH[MM[SS[.s+]]]]]][+-ZZZZ]` and TM `HH[MM[SS[.s+]]][+-ZZZZ]`.
  static std::optional<Temporal> ParseHl7(std::string_view text);
  static std::optional<Temporal> ParseHl7Time(std::string_view text);

  std::string ToString() const;  // without `@`, no trailing `T`
  int PrecisionDigits() const;   // FHIRPath precision(): 4 6 8 10 12 14 17, times 2 4 6 9

  int64_t LocalSeconds() const;  // seconds since 1970-01-01 of the local fields
};

// -1, 0, 1; nothing when the precisions differ before a difference is found, or only one has an
// offset.
std::optional<int> Compare(const Temporal& a, const Temporal& b);
std::optional<bool> Equal(const Temporal& a, const Temporal& b);
bool Equivalent(const Temporal& a, const Temporal& b);

// `unit` is a calendar word or a UCUM code; nothing when the result leaves years 1..9999.
// `definite` units that have no calendar meaning ('a', 'mo', 'cm') are refused through `bad_unit`.
std::optional<Temporal> AddQuantity(const Temporal& value, const Decimal& amount,
                                    std::string_view unit, bool calendar, bool* bad_unit);

std::optional<Temporal> Boundary(const Temporal& value, bool high, std::optional<int64_t> digits);

// Offset in seconds of `zone` at a local time: at an overlap the earlier instant, in a gap the
// offset before it.
int32_t OffsetAt(const Zone& zone, int64_t local_seconds);

int64_t DaysFromCivil(int year, int month, int day);
int DaysInMonth(int year, int month);

}  // namespace weir::ir
