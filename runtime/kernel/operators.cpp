// FHIRPath's operators over all kinds of items. The right operand is a[1].
#include "runtime/kernel/fp.h"

namespace weir::kernel {
namespace {

Coll Boolean(Context* c, uint32_t tri) { return tri == kUnknown ? Empty() : OneBoolean(c, tri == kTrue); }
WK_INLINE uint32_t Flip(uint32_t tri) { return tri == kUnknown ? kUnknown : tri ^ 1; }

uint32_t EqualCollections(Context* c, const Coll& a, const Coll& b) {
  if (a.count == 0 || b.count == 0) {
    return kUnknown;
  }
  if (a.count != b.count) {
    return kFalse;
  }
  uint32_t answer = kTrue;
  for (uint64_t i = 0; i < a.count; ++i) {
    uint32_t equal = EqualItems(c, a.items[i], b.items[i]);
    if (equal == kFalse) {
      return kFalse;
    }
    answer = equal == kUnknown ? kUnknown : answer;
  }
  return answer;
}

// Order does not count, numbers of occurrences do.
bool EquivalentCollections(Context* c, const Coll& a, const Coll& b) {
  uint8_t* taken = a.count == b.count ? NewBytes(c, b.count) : nullptr;
  for (uint64_t i = 0; i < b.count && taken != nullptr; ++i) {
    taken[i] = 0;
  }
  for (uint64_t i = 0; i < a.count && taken != nullptr; ++i) {
    uint64_t k = 0;
    while (k < b.count && (taken[k] != 0 || !EquivalentItems(c, a.items[i], b.items[k]))) {
      ++k;
    }
    if (k == b.count) {
      return false;
    }
    taken[k] = 1;
  }
  return taken != nullptr;
}

// Both at the lesser of their significant fraction digits.
bool DecimalsEquivalent(const Dec& a, const Dec& b) {
  int32_t x = TrimDec(a).scale, y = TrimDec(b).scale;
  Dec p, q;
  return RoundDec(a, x < y ? x : y, kHalfAway, &p) && RoundDec(b, x < y ? x : y, kHalfAway, &q) && CompareDec(p, q) == 0;
}

bool Operands(Context* c, const Coll* a, Item* left, Item* right) {
  bool has_left = SingleSystem(c, a[0], left), has_right = SingleSystem(c, a[1], right);
  return has_left && has_right && c->failure == kNone;
}

Coll Compare(Context* c, const Coll* a, bool less, bool equal, bool greater) {
  Item left, right;
  int order;
  if (!Operands(c, a, &left, &right) || !CompareSystem(c, left, right, &order)) {
    return Empty();
  }
  return OneBoolean(c, order < 0 ? less : order > 0 ? greater : equal);
}

Coll Whole(Context* c, Wide value) {  // System.Integer has 32 bits; beyond is empty
  return value >= INT32_MIN && value <= INT32_MAX ? OneInteger(c, static_cast<int64_t>(value)) : Empty();
}
Coll Decimal(Context* c, bool ok, const Dec& d) { return ok ? OneItem(c, DecItem(d)) : Empty(); }

Coll Quantities(Context* c, uint32_t op, const Amount& a, const Amount& b) {
  Dec x, y, result;
  Text unit;
  bool plain = Is(b.unit, "1");
  if (op == '*') {  // products of units wait for UCUM: one side must be a plain number
    bool first = Is(a.unit, "1");
    return (first || plain) && MultiplyDec(AmountValue(a), AmountValue(b), &result) ? OneAmount(c, result, first ? b.unit : a.unit, false) : Empty();
  }
  if (op == '/' && plain) {
    return DivideDec(AmountValue(a), AmountValue(b), &result) ? OneAmount(c, result, a.unit, a.calendar != 0) : Empty();
  }
  if (!InOneUnit(a, b, true, &x, &y, &unit)) {
    return Empty();
  }
  if (op == '/') {  // the units cancel
    return DivideDec(x, y, &result) ? OneAmount(c, result, Lit("1"), false) : Empty();
  }
  y.m = op == '-' ? -y.m : y.m;
  return AddDec(x, y, &result) ? OneAmount(c, result, unit, a.calendar != 0 && b.calendar != 0) : Empty();
}

Coll Arithmetic(Context* c, const Coll* operands, uint32_t op) {
  Item left, right;
  if (!Operands(c, operands, &left, &right)) {
    return Empty();
  }
  if (left.kind == kInteger && right.kind == kInteger && op != '/') {
    Wide x = Number(left), y = Number(right);
    return Whole(c, op == '+' ? x + y : op == '-' ? x - y : x * y);
  }
  Dec x, y, result;
  if (DecimalOf(left, &x) && DecimalOf(right, &y)) {
    if (op == '/') {
      return Decimal(c, DivideDec(x, y, &result), result);
    }
    y.m = op == '-' ? -y.m : y.m;
    return op == '*' ? Decimal(c, MultiplyDec(x, y, &result), result) : Decimal(c, AddDec(x, y, &result), result);
  }
  if (op == '+' && left.kind == kString && right.kind == kString) {
    uint8_t* out = NewBytes(c, uint64_t{left.n} + right.n);
    if (out == nullptr) {
      return Empty();
    }
    Copy(out, left.p, left.n);
    Copy(out + left.n, right.p, right.n);
    return OneString(c, {out, left.n + right.n});
  }
  if ((op == '+' || op == '-') && left.kind == kMoment && right.kind == kAmount) {
    Dec amount = AmountValue(AmountOf(right));
    amount.m = op == '-' ? -amount.m : amount.m;
    return MoveMoment(c, left, amount, AmountOf(right).unit);
  }
  Amount p, q;
  if (QuantityOf(left, &p) && QuantityOf(right, &q)) {
    return Quantities(c, op, p, q);
  }
  Fail(c);  // operands of these types have no sum, difference, product or quotient
  return Empty();
}

Coll Division(Context* c, const Coll* operands, bool modulo) {
  Item left, right;
  Dec x, y, result;
  if (!Operands(c, operands, &left, &right)) {
    return Empty();
  }
  if (!DecimalOf(left, &x) || !DecimalOf(right, &y)) {
    Fail(c);
    return Empty();
  }
  if (!DivModDec(x, y, modulo, &result)) {
    return Empty();
  }
  bool integers = left.kind == kInteger && right.kind == kInteger;
  return !modulo || integers ? Whole(c, result.m) : Decimal(c, true, result);
}

// Left to right; the answer is known when one side decides.
Coll Logic(Context* c, const Coll* a, uint32_t deciding, bool negate_left) {
  uint32_t left = SingleTruth(c, a[0]), right = SingleTruth(c, a[1]);
  left = negate_left ? Flip(left) : left;
  if (left == deciding || right == deciding) {
    return Boolean(c, deciding);
  }
  return left == kUnknown || right == kUnknown ? Empty() : Boolean(c, deciding ^ 1);
}

Coll Member(Context* c, const Coll& single, const Coll& in) {
  if (single.count > 1) {
    Fail(c);
  }
  return single.count == 1 ? OneBoolean(c, Contained(c, in, single.items[0])) : Empty();
}

}  // namespace

bool DecimalOf(const Item& item, Dec* out) {
  *out = item.kind == kInteger ? Dec{Number(item), 0} : DecOf(item);
  return item.kind == kInteger || item.kind == kNumber;
}
bool QuantityOf(const Item& item, Amount* out) {
  if (item.kind == kAmount) {
    *out = AmountOf(item);
    return true;
  }
  Dec d;
  if (!DecimalOf(item, &d)) {
    return false;
  }
  *out = {static_cast<uint64_t>(d.m), static_cast<uint64_t>(static_cast<UWide>(d.m) >> 64), d.scale, 0, Lit("1")};
  return true;
}

bool SingleSystem(Context* c, const Coll& in, Item* out) {
  if (in.count > 1) {
    Fail(c);
  }
  return in.count == 1 && ToSystem(c, in.items[0], out);
}
bool SingleText(Context* c, const Coll& in, Text* out) {
  Item item;
  if (!SingleSystem(c, in, &item)) {
    return false;
  }
  if (item.kind == kMoment && in.items[0].kind == kNode) {  // a FHIR date is written as text and may be read as such
    *out = NodeText(NodeAt(c, in.items[0].n));
    return true;
  }
  *out = TextOf(item);
  if (item.kind != kString) {
    Fail(c);
  }
  return item.kind == kString;
}
bool SingleNumber(Context* c, const Coll& in, int64_t* out) {
  Item item;
  if (!SingleSystem(c, in, &item)) {
    return false;
  }
  *out = Number(item);
  if (item.kind != kInteger) {
    Fail(c);
  }
  return item.kind == kInteger;
}
uint32_t SingleTruth(Context* c, const Coll& in) {
  Item item;
  return !SingleSystem(c, in, &item) ? kUnknown : item.kind == kBoolean ? item.n : kTrue;
}

uint32_t EqualItems(Context* c, const Item& a, const Item& b) {
  bool nodes = a.kind == kNode && b.kind == kNode;
  if (nodes && a.n == b.n && a.segment == b.segment) {
    return kTrue;
  }
  Item x, y;
  bool has_x = ToSystem(c, a, &x), has_y = ToSystem(c, b, &y);
  if (!has_x || !has_y) {
    return TriOf(nodes && !has_x && !has_y && a.segment != 0 && b.segment != 0 && JsonEqual(c, a.segment, b.segment, false));
  }
  if (x.kind == kMoment) {
    int order;
    if (y.kind != kMoment || (x.level == kTimeMoment) != (y.level == kTimeMoment)) {
      return kFalse;
    }
    return OrderMoments(x, y, &order) ? TriOf(order == 0) : kUnknown;
  }
  Dec d, e;
  if (DecimalOf(x, &d) && DecimalOf(y, &e)) {
    return TriOf(CompareDec(d, e) == 0);
  }
  Amount p, q;
  if (QuantityOf(x, &p) && QuantityOf(y, &q)) {
    Text unit;
    if (InOneUnit(p, q, true, &d, &e, &unit)) {
      return TriOf(CompareDec(d, e) == 0);
    }
    return ComparableUnits(p.unit, q.unit) ? kUnknown : kFalse;
  }
  if (x.kind != y.kind) {
    return kFalse;
  }
  return TriOf(x.kind == kNode ? JsonEqual(c, x.n, y.n, false) : ItemsEqual(x, y));
}

bool EquivalentItems(Context* c, const Item& a, const Item& b) {
  Item x, y;
  bool has_x = ToSystem(c, a, &x), has_y = ToSystem(c, b, &y);
  if (!has_x || !has_y) {
    return !has_x && !has_y;
  }
  Dec d, e;
  if (DecimalOf(x, &d) && DecimalOf(y, &e)) {
    return DecimalsEquivalent(d, e);
  }
  Amount p, q;
  if (QuantityOf(x, &p) && QuantityOf(y, &q)) {
    Text unit;
    return InOneUnit(p, q, false, &d, &e, &unit) && DecimalsEquivalent(d, e);
  }
  if (x.kind == kString && y.kind == kString) {
    return TextsEquivalent(TextOf(x), TextOf(y));
  }
  if (x.kind == kNode && y.kind == kNode) {
    return JsonEqual(c, x.n, y.n, true);
  }
  return EqualItems(c, x, y) == kTrue;
}

bool CompareSystem(Context* c, const Item& a, const Item& b, int* order) {
  if (a.kind == kString && b.kind == kString) {
    *order = Order(TextOf(a), TextOf(b));
    return true;
  }
  if (a.kind == kMoment && b.kind == kMoment && (a.level == kTimeMoment) == (b.level == kTimeMoment)) {
    return OrderMoments(a, b, order);
  }
  Dec x, y;
  if (DecimalOf(a, &x) && DecimalOf(b, &y)) {
    *order = CompareDec(x, y);
    return true;
  }
  Amount p, q;
  if (QuantityOf(a, &p) && QuantityOf(b, &q)) {
    Text unit;
    bool both = InOneUnit(p, q, true, &x, &y, &unit);
    *order = both ? CompareDec(x, y) : 0;
    return both;
  }
  Fail(c);  // values of these types have no order
  return false;
}

bool Contained(Context* c, const Coll& in, const Item& item) {
  for (uint64_t i = 0; i < in.count; ++i) {
    if (EqualItems(c, in.items[i], item) == kTrue) {
      return true;
    }
  }
  return false;
}

extern "C" {

// Conditions of lambdas: one item of another type is true.
uint32_t wf_singleton(Context* c, const Coll* in) { return SingleTruth(c, *in); }
// The condition of `iif`: empty is false, anything but a Boolean fails.
uint32_t wf_truth(Context* c, const Coll* in) {
  Item item;
  if (!SingleSystem(c, *in, &item)) {
    return kFalse;
  }
  if (item.kind != kBoolean) {
    Fail(c);
  }
  return item.kind == kBoolean ? item.n : kFalse;
}

Coll wf_op_equal(Context* c, const Coll* a, uint64_t) { return Boolean(c, EqualCollections(c, a[0], a[1])); }
Coll wf_op_not_equal(Context* c, const Coll* a, uint64_t) { return Boolean(c, Flip(EqualCollections(c, a[0], a[1]))); }
Coll wf_op_equivalent(Context* c, const Coll* a, uint64_t) { return OneBoolean(c, EquivalentCollections(c, a[0], a[1])); }
Coll wf_op_not_equivalent(Context* c, const Coll* a, uint64_t) { return OneBoolean(c, !EquivalentCollections(c, a[0], a[1])); }
Coll wf_op_less(Context* c, const Coll* a, uint64_t) { return Compare(c, a, true, false, false); }
Coll wf_op_less_equal(Context* c, const Coll* a, uint64_t) { return Compare(c, a, true, true, false); }
Coll wf_op_greater(Context* c, const Coll* a, uint64_t) { return Compare(c, a, false, false, true); }
Coll wf_op_greater_equal(Context* c, const Coll* a, uint64_t) { return Compare(c, a, false, true, true); }
Coll wf_op_and(Context* c, const Coll* a, uint64_t) { return Logic(c, a, kFalse, false); }
Coll wf_op_or(Context* c, const Coll* a, uint64_t) { return Logic(c, a, kTrue, false); }
Coll wf_op_implies(Context* c, const Coll* a, uint64_t) { return Logic(c, a, kTrue, true); }
Coll wf_op_xor(Context* c, const Coll* a, uint64_t) {
  uint32_t left = SingleTruth(c, a[0]), right = SingleTruth(c, a[1]);
  return left == kUnknown || right == kUnknown ? Empty() : Boolean(c, left ^ right);
}
Coll wf_op_in(Context* c, const Coll* a, uint64_t) { return Member(c, a[0], a[1]); }
Coll wf_op_contains(Context* c, const Coll* a, uint64_t) { return Member(c, a[1], a[0]); }
Coll wf_op_add(Context* c, const Coll* a, uint64_t) { return Arithmetic(c, a, '+'); }
Coll wf_op_subtract(Context* c, const Coll* a, uint64_t) { return Arithmetic(c, a, '-'); }
Coll wf_op_multiply(Context* c, const Coll* a, uint64_t) { return Arithmetic(c, a, '*'); }
Coll wf_op_divide(Context* c, const Coll* a, uint64_t) { return Arithmetic(c, a, '/'); }
Coll wf_op_div(Context* c, const Coll* a, uint64_t) { return Division(c, a, false); }
Coll wf_op_mod(Context* c, const Coll* a, uint64_t) { return Division(c, a, true); }

Coll wf_op_concat(Context* c, const Coll* a, uint64_t) {  // `&`: empty is ''
  Text texts[2] = {{nullptr, 0}, {nullptr, 0}};
  for (int i = 0; i < 2; ++i) {
    Item item;
    if (SingleSystem(c, a[i], &item)) {
      texts[i] = TextOf(item);
      if (item.kind != kString) {
        Fail(c);
        return Empty();
      }
    }
  }
  uint8_t* out = NewBytes(c, uint64_t{texts[0].n} + texts[1].n);
  if (out == nullptr) {
    return Empty();
  }
  Copy(out, texts[0].p, texts[0].n);
  Copy(out + texts[0].n, texts[1].p, texts[1].n);
  return OneString(c, {out, texts[0].n + texts[1].n});
}

Coll wf_op_union(Context* c, const Coll* a, uint64_t) {
  Item* items;
  Coll out = NewColl(c, a[0].count + a[1].count, &items);
  for (uint64_t i = 0; i < a[0].count + a[1].count && items != nullptr; ++i) {
    const Item& item = i < a[0].count ? a[0].items[i] : a[1].items[i - a[0].count];
    if (!Contained(c, out, item)) {
      items[out.count++] = item;
    }
  }
  return out;
}

Coll wf_negate(Context* c, const Coll* a, uint64_t) {
  Item item;
  if (!SingleSystem(c, a[0], &item)) {
    return Empty();
  }
  if (item.kind == kInteger) {
    return Whole(c, -static_cast<Wide>(Number(item)));
  }
  if (item.kind == kNumber) {
    Dec d = DecOf(item);
    return OneItem(c, DecItem({-d.m, d.scale}));
  }
  if (item.kind == kAmount) {
    Dec d = AmountValue(AmountOf(item));
    return OneAmount(c, {-d.m, d.scale}, AmountOf(item).unit, AmountOf(item).calendar != 0);
  }
  Fail(c);  // a sign needs a number
  return Empty();
}
Coll wf_plus(Context* c, const Coll* a, uint64_t) {
  Item item;
  if (!SingleSystem(c, a[0], &item)) {
    return Empty();
  }
  if (item.kind != kInteger && item.kind != kNumber && item.kind != kAmount) {
    Fail(c);
    return Empty();
  }
  return item.kind == kInteger ? Whole(c, Number(item)) : OneItem(c, item);
}

Coll wf_index(Context* c, const Coll* a, uint64_t) {
  int64_t i;
  return SingleNumber(c, a[1], &i) && i >= 0 && static_cast<uint64_t>(i) < a[0].count ? Coll{a[0].items + i, 1} : Empty();
}

}  // extern "C"

}  // namespace weir::kernel
