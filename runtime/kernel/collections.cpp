// Existence, subsets, counts, combining, aggregates. Lambdas are loops in lowering; here is what has none.
#include "runtime/kernel/fp.h"

namespace weir::kernel {
namespace {

// allTrue and its kin want Booleans only; `stop` is the value that settles the answer.
Coll Quantify(Context* c, const Coll& in, uint32_t stop, bool answer_at_stop) {
  for (uint64_t i = 0; i < in.count; ++i) {
    Item item;
    if (!ToSystem(c, in.items[i], &item) || item.kind != kBoolean) {
      Fail(c);
      return Empty();
    }
    if (item.n == stop) {
      return OneBoolean(c, answer_at_stop);
    }
  }
  return OneBoolean(c, !answer_at_stop);
}

bool IsSubset(Context* c, const Coll& inner, const Coll& outer) {
  for (uint64_t i = 0; i < inner.count; ++i) {
    if (!Contained(c, outer, inner.items[i])) {
      return false;
    }
  }
  return true;
}

Coll Distinct(Context* c, const Coll& in) {
  Coll sides[2] = {in, Empty()};
  return wf_op_union(c, sides, 2);
}

Coll SkipTake(Context* c, const Coll* a, bool take) {
  int64_t n;
  if (!SingleNumber(c, a[1], &n)) {
    return Empty();
  }
  uint64_t k = n < 0 ? 0 : static_cast<uint64_t>(n) > a->count ? a->count : static_cast<uint64_t>(n);
  return take ? Coll{a->items, k} : Coll{a->items + k, a->count - k};
}

Coll Extreme(Context* c, const Coll& in, int wanted) {
  Item best = {};
  for (uint64_t i = 0; i < in.count; ++i) {
    Item item;
    int order = wanted;
    if (!ToSystem(c, in.items[i], &item) || (i != 0 && !CompareSystem(c, item, best, &order))) {
      return Empty();
    }
    best = order == wanted ? item : best;
  }
  return in.count != 0 ? OneItem(c, best) : Empty();
}

// The sum as a System value; false: empty.
bool Sum(Context* c, const Coll& in, Item* total) {
  for (uint64_t i = 0; i < in.count; ++i) {
    Item item;
    if (!ToSystem(c, in.items[i], &item)) {
      return false;
    }
    if (i == 0) {
      *total = item;
      continue;
    }
    Dec x, y, sum;
    if (total->kind == kAmount && item.kind == kAmount) {
      const Amount &p = AmountOf(*total), &q = AmountOf(item);
      Text unit;
      if (!InOneUnit(p, q, true, &x, &y, &unit) || !AddDec(x, y, &sum)) {
        return false;
      }
      Coll one = OneAmount(c, sum, unit, p.calendar != 0 && q.calendar != 0);
      if (one.count == 0) {
        return false;
      }
      *total = one.items[0];
    } else if (total->kind == kInteger && item.kind == kInteger) {
      *total = IntegerItem(Number(*total) + Number(item));
    } else if (!DecimalOf(*total, &x) || !DecimalOf(item, &y)) {
      Fail(c);
      return false;
    } else if (AddDec(x, y, &sum)) {
      *total = DecItem(sum);
    } else {
      return false;
    }
  }
  return in.count != 0;
}

}  // namespace

extern "C" {

Coll wf_empty(Context* c, const Coll* a, uint64_t) { return OneBoolean(c, a->count == 0); }
Coll wf_exists(Context* c, const Coll* a, uint64_t) { return OneBoolean(c, a->count != 0); }
Coll wf_count(Context* c, const Coll* a, uint64_t) { return OneInteger(c, static_cast<int64_t>(a->count)); }
Coll wf_not(Context* c, const Coll* a, uint64_t) {
  uint32_t truth = SingleTruth(c, a[0]);
  return truth == kUnknown ? Empty() : OneBoolean(c, truth == kFalse);
}
Coll wf_allTrue(Context* c, const Coll* a, uint64_t) { return Quantify(c, a[0], 0, false); }
Coll wf_anyTrue(Context* c, const Coll* a, uint64_t) { return Quantify(c, a[0], 1, true); }
Coll wf_allFalse(Context* c, const Coll* a, uint64_t) { return Quantify(c, a[0], 1, false); }
Coll wf_anyFalse(Context* c, const Coll* a, uint64_t) { return Quantify(c, a[0], 0, true); }
Coll wf_subsetOf(Context* c, const Coll* a, uint64_t) { return OneBoolean(c, IsSubset(c, a[0], a[1])); }
Coll wf_supersetOf(Context* c, const Coll* a, uint64_t) { return OneBoolean(c, IsSubset(c, a[1], a[0])); }
Coll wf_distinct(Context* c, const Coll* a, uint64_t) { return Distinct(c, a[0]); }
Coll wf_isDistinct(Context* c, const Coll* a, uint64_t) { return OneBoolean(c, Distinct(c, a[0]).count == a->count); }

Coll wf_single(Context* c, const Coll* a, uint64_t) {
  if (a->count > 1) {
    Fail(c);
  }
  return a[0];
}
Coll wf_first(Context*, const Coll* a, uint64_t) { return {a->items, a->count != 0 ? 1u : 0u}; }
Coll wf_last(Context*, const Coll* a, uint64_t) { return a->count != 0 ? Coll{a->items + (a->count - 1), 1} : Empty(); }
Coll wf_tail(Context*, const Coll* a, uint64_t) { return a->count != 0 ? Coll{a->items + 1, a->count - 1} : Empty(); }
Coll wf_skip(Context* c, const Coll* a, uint64_t) { return SkipTake(c, a, false); }
Coll wf_take(Context* c, const Coll* a, uint64_t) { return SkipTake(c, a, true); }

Coll wf_combine(Context* c, const Coll* a, uint64_t) {
  Item* items;
  Coll out = NewColl(c, a[0].count + a[1].count, &items);
  for (uint64_t i = 0; i < a[0].count + a[1].count && items != nullptr; ++i) {
    items[out.count++] = i < a[0].count ? a[0].items[i] : a[1].items[i - a[0].count];
  }
  if (out.count > kMaxItems) {
    c->failure = c->failure == kNone ? kLimit : c->failure;
    return Empty();
  }
  return out;
}
Coll wf_union(Context* c, const Coll* a, uint64_t n) { return wf_op_union(c, a, n); }
Coll wf_intersect(Context* c, const Coll* a, uint64_t) {
  Item* items;
  Coll out = NewColl(c, a->count, &items);
  for (uint64_t i = 0; i < a->count && items != nullptr; ++i) {
    if (Contained(c, a[1], a->items[i]) && !Contained(c, out, a->items[i])) {
      items[out.count++] = a->items[i];
    }
  }
  return out;
}
Coll wf_exclude(Context* c, const Coll* a, uint64_t) {
  Item* items;
  Coll out = NewColl(c, a->count, &items);
  for (uint64_t i = 0; i < a->count && items != nullptr; ++i) {
    if (!Contained(c, a[1], a->items[i])) {
      items[out.count++] = a->items[i];
    }
  }
  return out;
}

// `repeat`: moves what of `more` was not yet found to `found`, and answers just that: the next round.
Coll wf_repeat_round(Context* c, Coll* found, const Coll* more) {
  Item* next;
  Coll out = NewColl(c, more->count, &next);
  Coll sides[2] = {*found, *more};
  Coll all = wf_combine(c, sides, 2);
  auto* items = const_cast<Item*>(all.items);  // fresh: nobody else has seen it
  if (next == nullptr || items == nullptr || c->failure != kNone) {
    return Empty();
  }
  all.count = found->count;
  for (uint64_t i = 0; i < more->count; ++i) {
    if (!Contained(c, all, more->items[i])) {
      items[all.count++] = next[out.count++] = more->items[i];
    }
  }
  *found = all;
  return out;
}

// `sort`: places row `index`, whose keys stand in `keys`, among `count` rows in `order`; `down`: keys that sort downwards.
// An item without a key comes first going up; rows that cannot be told apart keep their order.
void wf_sort_insert(Context* c, uint64_t* order, uint64_t count, const Coll* keys, uint64_t key_count, const uint8_t* down) {
  const Coll* row = keys + count * key_count;
  auto before = [&](const Coll* a, const Coll* b) {
    for (uint64_t k = 0; k < key_count; ++k) {
      Item x, y;
      bool has_x = SingleSystem(c, a[k], &x), has_y = SingleSystem(c, b[k], &y);
      int sign = 0;
      if (!has_x || !has_y) {
        sign = (has_x ? 1 : 0) - (has_y ? 1 : 0);
      } else if (!CompareSystem(c, x, y, &sign)) {
        sign = 0;
      }
      if (sign != 0) {
        return down[k] != 0 ? sign > 0 : sign < 0;
      }
    }
    return false;
  };
  uint64_t low = 0, high = count;  // the first row that the new one stands before
  while (low < high) {
    uint64_t middle = (low + high) / 2;
    if (before(row, keys + order[middle] * key_count)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  for (uint64_t i = count; i > low; --i) {
    order[i] = order[i - 1];
  }
  order[low] = count;
}
Coll wf_sort_end(Context* c, const Coll* in, const uint64_t* order) {
  Item* items;
  Coll out = NewColl(c, in->count, &items);
  for (uint64_t i = 0; i < in->count && items != nullptr; ++i) {
    items[out.count++] = in->items[order[i]];
  }
  return out;
}
void* wf_room(Context* c, uint64_t bytes) { return NewBytes(c, bytes); }

Coll wf_min(Context* c, const Coll* a, uint64_t) { return Extreme(c, a[0], -1); }
Coll wf_max(Context* c, const Coll* a, uint64_t) { return Extreme(c, a[0], 1); }
Coll wf_sum(Context* c, const Coll* a, uint64_t) {
  Item total;
  return Sum(c, a[0], &total) ? OneItem(c, total) : Empty();
}
Coll wf_avg(Context* c, const Coll* a, uint64_t) {
  Item total;
  Dec sum, mean, count = {static_cast<Wide>(a->count), 0};
  if (!Sum(c, a[0], &total)) {
    return Empty();
  }
  if (total.kind == kAmount) {
    const Amount& amount = AmountOf(total);
    return DivideDec(AmountValue(amount), count, &mean) ? OneAmount(c, mean, amount.unit, amount.calendar != 0) : Empty();
  }
  if (!DecimalOf(total, &sum)) {
    Fail(c);
    return Empty();
  }
  return DivideDec(sum, count, &mean) ? OneItem(c, DecItem(mean)) : Empty();
}

Coll wf_comparable(Context* c, const Coll* a, uint64_t) {
  Item left, right;
  bool has_left = SingleSystem(c, a[0], &left), has_right = SingleSystem(c, a[1], &right);
  if (!has_left || !has_right) {
    return Empty();
  }
  if (left.kind != kAmount || right.kind != kAmount) {
    Fail(c);
    return Empty();
  }
  return OneBoolean(c, ComparableUnits(AmountOf(left).unit, AmountOf(right).unit));
}

}  // extern "C"

}  // namespace weir::kernel
