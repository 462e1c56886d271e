// Shared by the helpers of full FHIRPath (`wf_*`): more kinds of items than v2 maps need. Every helper takes its input
// and arguments as an array of collections, so that lowering needs no signature per function. No libc, no 128-bit
// division (LLVM would call a library for it).
#pragma once

#include "runtime/fhir/tape.h"
#include "runtime/kernel/rt.h"

namespace weir::kernel {

// Beyond rt.h's Kind. kNumber: System.Decimal, mantissa in p (low) and n, segment (high), scale in level. kMoment: p is a
// Temporal, level a MomentKind. kAmount: p is an Amount. kNode: n the value's node or kNoNode, segment its `_name` or 0.
enum FhirKind : uint8_t { kNumber = 4, kMoment = 5, kAmount = 6, kNode = 7 };
enum MomentKind : uint8_t { kDateMoment = 0, kDateTimeMoment = 1, kTimeMoment = 2 };
constexpr uint32_t kNoNode = 0xFFFFFFFFu;
constexpr uint64_t kMaxItems = 1u << 20;  // of one collection: what ends a `repeat` that never stops, as in the interpreter

using Wide = __int128;
using UWide = unsigned __int128;

struct Dec {
  Wide m;
  int32_t scale;
};
constexpr int32_t kMaxScale = 28, kQuotientScale = 16;
enum RoundMode : uint32_t { kHalfAway, kFloor, kCeiling, kTruncate };

struct Amount {  // a Quantity
  uint64_t low, high;
  int32_t scale;
  uint32_t calendar;  // `1 week`, not `1 'wk'`
  Text unit;
};

enum Tri : uint32_t { kFalse = 0, kTrue = 1, kUnknown = 2 };
WK_INLINE uint32_t TriOf(bool value) { return value ? kTrue : kFalse; }

WK_INLINE int64_t Number(const Item& item) { return reinterpret_cast<int64_t>(item.p); }
WK_INLINE Item MakeItem(const void* p, uint32_t n, uint32_t segment, uint8_t kind, uint8_t level) {
  Item item = {};
  item.p = static_cast<const uint8_t*>(p);
  item.n = n;
  item.segment = segment;
  item.kind = kind;
  item.level = level;
  return item;
}
WK_INLINE Item IntegerItem(int64_t value) { return MakeItem(reinterpret_cast<const uint8_t*>(value), 0, 0, kInteger, 0); }
WK_INLINE Item BooleanItem(bool value) { return MakeItem(nullptr, value ? 1 : 0, 0, kBoolean, 0); }
WK_INLINE Item DecItem(const Dec& d) {
  auto high = static_cast<uint64_t>(static_cast<UWide>(d.m) >> 64);
  return MakeItem(reinterpret_cast<const uint8_t*>(static_cast<uint64_t>(d.m)), static_cast<uint32_t>(high), static_cast<uint32_t>(high >> 32), kNumber,
                  static_cast<uint8_t>(d.scale));
}
WK_INLINE Dec DecOf(const Item& item) {
  uint64_t high = item.n | uint64_t{item.segment} << 32;
  return {static_cast<Wide>(static_cast<UWide>(high) << 64 | reinterpret_cast<uint64_t>(item.p)), item.level};
}
WK_INLINE Dec AmountValue(const Amount& a) { return {static_cast<Wide>(static_cast<UWide>(a.high) << 64 | a.low), a.scale}; }
WK_INLINE const Amount& AmountOf(const Item& item) { return *reinterpret_cast<const Amount*>(item.p); }
WK_INLINE const Temporal& MomentOf(const Item& item) { return *reinterpret_cast<const Temporal*>(item.p); }
template <uint32_t N>
WK_INLINE Text Lit(const char (&literal)[N]) {
  return {reinterpret_cast<const uint8_t*>(literal), N - 1};
}
WK_INLINE bool StartsWith(Text t, Text part) { return t.n >= part.n && Same({t.p, part.n}, part); }
WK_INLINE bool HasByte(Text t, uint8_t b) {
  for (uint32_t i = 0; i < t.n; ++i) {
    if (t.p[i] == b) {
      return true;
    }
  }
  return false;
}
WK_INLINE Coll OneBoolean(Context* c, bool value) { return OneItem(c, BooleanItem(value)); }
WK_INLINE Coll OneInteger(Context* c, int64_t value) { return OneItem(c, IntegerItem(value)); }
WK_INLINE bool Is32(int64_t value) { return value >= INT32_MIN && value <= INT32_MAX; }

// A regular expression, compiled by lower/: threads in order of preference. kSplit goes on at x, then at y; kJump at x; kRange
// takes one code point of `y` ranges from x on; kSave notes the position as x.
enum RegexOp : uint32_t { kMatch, kRange, kSplit, kJump, kSave, kAtBegin, kAtEnd, kWordEdge, kNoWordEdge };
struct RegexStep {
  uint32_t op, x, y;
};
struct Regex {
  const RegexStep* steps;
  const uint32_t* ranges;  // pairs
  uint32_t step_count, groups;
};

// decimal.cpp; false: outside 128 bits or kMaxScale, which FHIRPath says as empty
UWide DivideWide(UWide a, UWide b, UWide* rest);
bool ScaleUp(Wide* m, int32_t times);  // by powers of ten
bool ParseDec(Text text, Dec* out);
uint32_t FormatDec(const Dec& d, uint8_t* out);  // at most 72 bytes
bool AddDec(const Dec& a, const Dec& b, Dec* out);
bool MultiplyDec(const Dec& a, const Dec& b, Dec* out);
bool DivideDec(const Dec& a, const Dec& b, Dec* out);
bool DivModDec(const Dec& a, const Dec& b, bool modulo, Dec* out);
int CompareDec(const Dec& a, const Dec& b);
bool RoundDec(const Dec& d, int32_t digits, RoundMode mode, Dec* out);
Dec TrimDec(Dec d);
bool IntegerOf(const Dec& d, int64_t* out);  // when integral and within 64 bits

// calendar.cpp
WK_INLINE bool IsTimed(const Temporal& t) { return t.precision >= kHour; }
bool OrderMoments(const Item& a, const Item& b, int* order);  // false: not known, or a time and a date
Coll MoveMoment(Context* c, const Item& moment, const Dec& amount, Text unit);
Coll MomentBoundary(Context* c, const Item& moment, bool high, bool has_digits, int64_t digits);
int32_t PrecisionDigits(const Item& moment);
Item MomentItem(Context* c, const Temporal& t, uint8_t kind, bool* ok);
bool IsDateText(Text t, Temporal* out);  // a FHIR date: no time part

// quantity.cpp
bool ParseAmount(Text text, Amount* out);
bool IsCalendarWord(Text unit);
bool ComparableUnits(Text a, Text b);
// Both values in the greater of the two units; `exact`: a calendar year or month meets no definite duration.
bool InOneUnit(const Amount& a, const Amount& b, bool exact, Dec* left, Dec* right, Text* unit);
Coll OneAmount(Context* c, const Dec& value, Text unit, bool calendar);

// fhir.cpp
bool ToSystem(Context* c, const Item& in, Item* out);  // false: a primitive without a value
bool JsonEqual(Context* c, uint32_t a, uint32_t b, bool equivalent);
Text TypeNameOf(Context* c, const Item& item);  // "System.String"; of nodes without "FHIR."
WK_INLINE const weir_fhir_node& NodeAt(Context* c, uint32_t n) { return c->tape->nodes[n]; }
WK_INLINE Text NodeText(const weir_fhir_node& node) { return {node.text, node.text_size}; }

// expression.cpp
uint32_t EscapeJson(uint8_t b, uint8_t* out);

// conversion.cpp
bool TextOfSystem(Context* c, const Item& item, Text* out);  // as `toString` writes it; false: it has none

// operators.cpp
uint32_t EqualItems(Context* c, const Item& a, const Item& b);  // tri
bool EquivalentItems(Context* c, const Item& a, const Item& b);
bool CompareSystem(Context* c, const Item& a, const Item& b, int* order);  // false: unknown, or failed
bool Contained(Context* c, const Coll& in, const Item& item);
bool DecimalOf(const Item& item, Dec* out);                       // an Integer or a Decimal
bool QuantityOf(const Item& item, Amount* out);

extern "C" Coll wk_append(Context* c, Coll a, const Item* item);  // value.cpp

extern "C" Coll wf_op_union(Context* c, const Coll* a, uint64_t n);

// One item as a System value, after implicit conversion; more fail the record.
bool SingleSystem(Context* c, const Coll& in, Item* out);
bool SingleText(Context* c, const Coll& in, Text* out);
bool SingleNumber(Context* c, const Coll& in, int64_t* out);
uint32_t SingleTruth(Context* c, const Coll& in);  // tri; one item of another type is true
WK_INLINE Coll NewColl(Context* c, uint64_t most, Item** items) {
  *items = NewItems(c, most);
  return {*items, 0};
}

}  // namespace weir::kernel
