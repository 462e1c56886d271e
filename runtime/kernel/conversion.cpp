// toX and convertsToX by one converter per type, text of System values, boundaries, precision.
#include "runtime/kernel/fp.h"

namespace weir::kernel {
namespace {

using Converter = bool (*)(Context*, const Item& in, Item* out);

WK_INLINE uint8_t Lower(uint8_t b) { return b >= 'A' && b <= 'Z' ? static_cast<uint8_t>(b + 32) : b; }
bool SameFolded(Text t, Text lower) {
  bool same = t.n == lower.n;
  for (uint32_t i = 0; i < t.n && same; ++i) {
    same = Lower(t.p[i]) == lower.p[i];
  }
  return same;
}

bool ToBoolean(Context*, const Item& in, Item* out) {
  *out = in;
  Dec d;
  if (DecimalOf(in, &d)) {
    bool one = CompareDec(d, {1, 0}) == 0;
    *out = BooleanItem(one);
    return one || d.m == 0;
  }
  if (in.kind != kString) {
    return in.kind == kBoolean;
  }
  const Text words[2][6] = {{Lit("false"), Lit("f"), Lit("no"), Lit("n"), Lit("0"), Lit("0.0")},
                            {Lit("true"), Lit("t"), Lit("yes"), Lit("y"), Lit("1"), Lit("1.0")}};
  for (int value = 0; value < 2; ++value) {
    for (const Text& word : words[value]) {
      if (SameFolded(TextOf(in), word)) {
        *out = BooleanItem(value == 1);
        return true;
      }
    }
  }
  return false;
}

WK_INLINE bool HasPointOrExponent(Text t) { return HasByte(t, '.') || HasByte(t, 'e') || HasByte(t, 'E'); }

bool ToInteger(Context*, const Item& in, Item* out) {
  *out = in;
  if (in.kind == kBoolean) {
    *out = IntegerItem(in.n);
    return true;
  }
  Dec d;
  int64_t value;
  if (in.kind == kString && !HasPointOrExponent(TextOf(in)) && ParseDec(TextOf(in), &d) && IntegerOf(d, &value) && Is32(value)) {
    *out = IntegerItem(value);
    return true;
  }
  return in.kind == kInteger;
}

bool ToDecimal(Context*, const Item& in, Item* out) {
  Dec d;
  bool ok = DecimalOf(in, &d);
  if (in.kind == kBoolean) {
    d = {in.n != 0 ? 10 : 0, 1};
    ok = true;
  } else if (in.kind == kString) {
    ok = !HasByte(TextOf(in), 'e') && !HasByte(TextOf(in), 'E') && ParseDec(TextOf(in), &d);
  }
  if (ok) {
    *out = DecItem(d);
  }
  return ok;
}

bool ToText(Context* c, const Item& in, Item* out) {
  Text text;
  bool ok = in.kind != kV2 && in.kind != kNode && TextOfSystem(c, in, &text);
  *out = StringItem(text);
  return ok;
}

// HL7 v2 text (YYYYMMDD…) is read as well.
WK_INLINE bool ReadDateTime(Text t, Temporal* out) { return ParseIso(t, out) || ParseHl7(t, out); }

bool DateOf(const Item& in, Temporal* out) {
  if (in.kind == kMoment && in.level != kTimeMoment) {
    *out = MomentOf(in);
    return true;
  }
  return in.kind == kString && ReadDateTime(TextOf(in), out);
}
bool ToDate(Context* c, const Item& in, Item* out) {
  Temporal t;
  if (!DateOf(in, &t)) {
    return false;
  }
  Temporal date = {t.year, t.month, t.day, 0, 0, 0, 0, 0, t.precision < kDay ? t.precision : uint8_t{kDay}, 0, 0, 0, 0, 0};
  bool ok;
  *out = MomentItem(c, date, kDateMoment, &ok);
  return ok;
}
bool ToDateTime(Context* c, const Item& in, Item* out) {
  Temporal t;
  bool ok = DateOf(in, &t);
  if (ok) {
    *out = MomentItem(c, t, kDateTimeMoment, &ok);
  }
  return ok;
}
bool ToTime(Context* c, const Item& in, Item* out) {
  Temporal t;
  *out = in;
  bool ok = in.kind == kString && ParseIsoTime(TextOf(in), &t);
  if (ok) {
    *out = MomentItem(c, t, kTimeMoment, &ok);
    return ok;
  }
  return in.kind == kMoment && in.level == kTimeMoment;
}

bool ToQuantity(Context* c, const Item& in, Item* out) {
  *out = in;
  if (in.kind == kAmount) {
    return true;
  }
  Amount amount;
  Item number;
  if (in.kind == kString) {
    if (!ParseAmount(TextOf(in), &amount)) {
      return false;
    }
  } else if (in.kind == kMoment || !ToDecimal(c, in, &number) || !QuantityOf(number, &amount)) {
    return false;
  }
  Coll one = OneAmount(c, AmountValue(amount), amount.unit, amount.calendar != 0);
  if (one.count == 1) {
    *out = one.items[0];
  }
  return one.count == 1;
}

Coll Convert(Context* c, const Coll& in, Converter convert) {
  Item item, out;
  return SingleSystem(c, in, &item) && convert(c, item, &out) ? OneItem(c, out) : Empty();
}
Coll Converts(Context* c, const Coll& in, Converter convert) {
  Item item, out;
  return SingleSystem(c, in, &item) ? OneBoolean(c, convert(c, item, &out)) : Empty();
}

// The quantity in the unit that was asked for.
Coll InUnit(Context* c, const Coll& quantity, const Coll& wanted) {
  Text unit, common;
  if (quantity.count == 0 || !SingleText(c, wanted, &unit)) {
    return Empty();
  }
  bool word = IsCalendarWord(unit);
  Amount one = {1, 0, 0, word ? 1u : 0u, unit};
  Dec value, target, quotient;
  return InOneUnit(AmountOf(quantity.items[0]), one, true, &value, &target, &common) && DivideDec(value, target, &quotient)
             ? OneAmount(c, quotient, unit, word)
             : Empty();
}

// Half a unit of the last written digit away, then outward to the digits asked for.
bool DecimalBoundary(const Dec& d, bool high, int64_t digits, Dec* out) {
  Dec wide = d, moved;
  wide.scale += 1;
  return digits >= 0 && digits <= kMaxScale && ScaleUp(&wide.m, 1) && AddDec(wide, {high ? 5 : -5, wide.scale}, &moved) &&
         RoundDec(moved, static_cast<int32_t>(digits), high ? kCeiling : kFloor, out);
}

constexpr int64_t kBoundaryDigits = 8;  // of a decimal's boundary

Coll Boundary(Context* c, const Coll* a, uint64_t n, bool high) {
  Item item;
  int64_t digits = kBoundaryDigits;
  bool has_item = SingleSystem(c, a[0], &item);
  if ((n > 1 && !SingleNumber(c, a[1], &digits)) || !has_item) {
    return Empty();
  }
  if (item.kind == kMoment) {
    return MomentBoundary(c, item, high, n > 1, digits);
  }
  Amount amount;
  Dec result;
  if (!QuantityOf(item, &amount)) {
    Fail(c);  // a boundary needs a number, a quantity, a date or a time
    return Empty();
  }
  if (!DecimalBoundary(AmountValue(amount), high, digits, &result)) {
    return Empty();
  }
  return item.kind == kAmount ? OneAmount(c, result, amount.unit, amount.calendar != 0) : OneItem(c, DecItem(result));
}

}  // namespace

bool TextOfSystem(Context* c, const Item& item, Text* out) {
  uint8_t bytes[96];
  uint32_t n = 0;
  Text tail = {nullptr, 0};
  bool quoted = false;
  switch (item.kind) {
    case kString: *out = TextOf(item); return true;
    case kBoolean: *out = item.n != 0 ? Lit("true") : Lit("false"); return true;
    case kInteger: n = FormatDec({Number(item), 0}, bytes); break;
    case kNumber: n = FormatDec(DecOf(item), bytes); break;
    case kMoment: n = Format(MomentOf(item), bytes); break;
    case kAmount:
      n = FormatDec(AmountValue(AmountOf(item)), bytes);
      bytes[n++] = ' ';
      tail = AmountOf(item).unit;
      quoted = AmountOf(item).calendar == 0;
      break;
    default: return false;
  }
  uint8_t* p = NewBytes(c, uint64_t{n} + tail.n + 2);
  if (p == nullptr) {
    return false;
  }
  Copy(p, bytes, n);
  if (quoted) {
    p[n++] = '\'';
  }
  Copy(p + n, tail.p, tail.n);
  n += tail.n;
  if (quoted) {
    p[n++] = '\'';
  }
  *out = {p, n};
  return true;
}

extern "C" {

Coll wf_toBoolean(Context* c, const Coll* a, uint64_t) { return Convert(c, a[0], ToBoolean); }
Coll wf_toInteger(Context* c, const Coll* a, uint64_t) { return Convert(c, a[0], ToInteger); }
Coll wf_toDecimal(Context* c, const Coll* a, uint64_t) { return Convert(c, a[0], ToDecimal); }
Coll wf_toString(Context* c, const Coll* a, uint64_t) { return Convert(c, a[0], ToText); }
Coll wf_toDate(Context* c, const Coll* a, uint64_t) { return Convert(c, a[0], ToDate); }
Coll wf_toDateTime(Context* c, const Coll* a, uint64_t) { return Convert(c, a[0], ToDateTime); }
Coll wf_toTime(Context* c, const Coll* a, uint64_t) { return Convert(c, a[0], ToTime); }
Coll wf_toQuantity(Context* c, const Coll* a, uint64_t) { return Convert(c, a[0], ToQuantity); }
Coll wf_convertsToBoolean(Context* c, const Coll* a, uint64_t) { return Converts(c, a[0], ToBoolean); }
Coll wf_convertsToInteger(Context* c, const Coll* a, uint64_t) { return Converts(c, a[0], ToInteger); }
Coll wf_convertsToDecimal(Context* c, const Coll* a, uint64_t) { return Converts(c, a[0], ToDecimal); }
Coll wf_convertsToString(Context* c, const Coll* a, uint64_t) { return Converts(c, a[0], ToText); }
Coll wf_convertsToDate(Context* c, const Coll* a, uint64_t) { return Converts(c, a[0], ToDate); }
Coll wf_convertsToDateTime(Context* c, const Coll* a, uint64_t) { return Converts(c, a[0], ToDateTime); }
Coll wf_convertsToTime(Context* c, const Coll* a, uint64_t) { return Converts(c, a[0], ToTime); }
Coll wf_convertsToQuantity(Context* c, const Coll* a, uint64_t) { return Converts(c, a[0], ToQuantity); }
// Conversion to a unit: the quantity in it; whether the input, which has a value, became one.
Coll wf_inUnit(Context* c, const Coll* a, uint64_t) { return InUnit(c, a[0], a[1]); }
Coll wf_converted(Context* c, const Coll* a, uint64_t) {
  Item item;
  return SingleSystem(c, a[0], &item) ? OneBoolean(c, a[1].count != 0) : Empty();
}

// What a FHIR primitive of `kind` is written from: Decimals, dates and times as text. A time where a date is due, or the other
// way round, is a value that does not fit; a Quantity fits no primitive.
Coll wf_writable(Context* c, const Coll* in, uint32_t kind) {
  if (in->count != 1 || in->items[0].kind <= kV2) {
    return *in;
  }
  const Item& item = in->items[0];
  if (item.kind == kMoment && kind >= kDate && (item.level == kTimeMoment) != (kind == kTime)) {
    return OneBoolean(c, false);
  }
  Text text;
  if (item.kind == kAmount || !TextOfSystem(c, item, &text)) {
    Fail(c);
    return Empty();
  }
  return OneString(c, text);
}

Coll wf_lowBoundary(Context* c, const Coll* a, uint64_t n) { return Boundary(c, a, n, false); }
Coll wf_highBoundary(Context* c, const Coll* a, uint64_t n) { return Boundary(c, a, n, true); }
Coll wf_precision(Context* c, const Coll* a, uint64_t) {
  Item item;
  if (!SingleSystem(c, a[0], &item)) {
    return Empty();
  }
  if (item.kind == kMoment) {
    return OneInteger(c, PrecisionDigits(item));
  }
  if (item.kind != kNumber && item.kind != kInteger) {
    Fail(c);  // precision() needs a number, a date or a time
    return Empty();
  }
  return OneInteger(c, item.kind == kNumber ? item.level : 0);
}

}  // extern "C"

}  // namespace weir::kernel
