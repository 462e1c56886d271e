// Operators and functions over collections: equality, logic's inputs, strings, keys, tables, authorities.
#include "runtime/kernel/siphash.h"

namespace weir::kernel {
namespace {

enum Tri : uint32_t { kFalse = 0, kTrue = 1, kUnknown = 2 };
WK_INLINE uint32_t TriOf(bool value) { return value ? kTrue : kFalse; }

constexpr Item kTruths[2] = {{nullptr, 0, 0, kBoolean, 0, 0, {}}, {nullptr, 1, 0, kBoolean, 0, 0, {}}};

WK_INLINE int64_t Number(const Item& item) { return reinterpret_cast<int64_t>(item.p); }
WK_INLINE Item IntegerItem(int64_t value) { return {reinterpret_cast<const uint8_t*>(value), 0, 0, kInteger, 0, 0, {}}; }

WK_INLINE uint8_t* PutBytes(uint8_t* to, Text t) {
  uint32_t i = 0;
  for (; i + 8 <= t.n; i += 8) {
    __builtin_memcpy(to + i, t.p + i, 8);
  }
  for (; i < t.n; ++i) {
    to[i] = t.p[i];
  }
  return to + t.n;
}
WK_INLINE uint8_t* PutSized(uint8_t* to, Text t) {
  __builtin_memcpy(to, &t.n, 4);
  return PutBytes(to + 4, t);
}

// Four bytes as eight lower-case digits, a digit to a byte of one word.
WK_INLINE void PutHex(uint8_t* to, const uint8_t* bytes) {
  uint32_t packed;
  __builtin_memcpy(&packed, bytes, 4);
  uint64_t pairs = packed;
  pairs = (pairs | pairs << 16) & 0x0000FFFF0000FFFF;
  pairs = (pairs | pairs << 8) & 0x00FF00FF00FF00FF;
  uint64_t digits = (pairs >> 4 & 0x000F000F000F000F) | (pairs & 0x000F000F000F000F) << 8;
  uint64_t letters = (digits + 0x0606060606060606) >> 4 & 0x0101010101010101;
  digits += 0x3030303030303030 + letters * ('a' - '0' - 10);
  __builtin_memcpy(to, &digits, 8);
}

bool Contains(Coll in, const Item& item) {
  for (uint64_t i = 0; i < in.count; ++i) {
    if (ItemsEqual(in.items[i], item)) {
      return true;
    }
  }
  return false;
}

WK_INLINE bool Space(uint8_t c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
WK_INLINE uint8_t Lower(uint8_t c) { return c >= 'A' && c <= 'Z' ? static_cast<uint8_t>(c + 32) : c; }
WK_INLINE uint8_t Upper(uint8_t c) { return c >= 'a' && c <= 'z' ? static_cast<uint8_t>(c - 32) : c; }
WK_INLINE bool WideSpace(uint8_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
WK_INLINE Text TrimSpace(Text t) {
  while (t.n != 0 && WideSpace(t.p[0])) {
    ++t.p;
    --t.n;
  }
  while (t.n != 0 && WideSpace(t.p[t.n - 1])) {
    --t.n;
  }
  return t;
}

bool ItemsEquivalent(const Item& a, const Item& b) {
  if (a.kind == kString && b.kind == kString) {
    return TextsEquivalent(TextOf(a), TextOf(b));
  }
  return ItemsEqual(a, b);
}

WK_INLINE uint64_t CodePoints(Text t) {
  uint64_t count = 0;
  for (uint32_t i = 0; i < t.n; ++i) {
    count += (t.p[i] & 0xC0) != 0x80 ? 1 : 0;
  }
  return count;
}
uint32_t OffsetOfPoint(Text t, uint64_t index) {
  for (uint32_t i = 0; i < t.n; ++i) {
    if ((t.p[i] & 0xC0) != 0x80 && index-- == 0) {
      return i;
    }
  }
  return t.n;
}

// Position of `part` in `text`, or -1.
int64_t Find(Text text, Text part, bool last) {
  if (part.n > text.n) {
    return -1;
  }
  uint32_t most = text.n - part.n;
  for (uint32_t k = 0; k <= most; ++k) {
    uint32_t at = last ? most - k : k;
    if (Same({text.p + at, part.n}, part)) {
      return at;
    }
  }
  return -1;
}

template <typename Change>
WK_INLINE Coll MapBytes(Context* c, Coll in, Change change) {
  Text t;
  if (!SingleString(c, in, &t)) {
    return Empty();
  }
  uint8_t* out = NewBytes(c, t.n);
  if (out == nullptr) {
    return Empty();
  }
  for (uint32_t i = 0; i < t.n; ++i) {
    out[i] = change(t.p[i]);
  }
  return OneString(c, {out, t.n});
}

bool SingleInteger(Context* c, Coll in, int64_t* out) {
  if (in.count == 0) {
    return false;
  }
  if (in.count > 1 || in.items[0].kind != kInteger) {
    Fail(c);
    return false;
  }
  *out = Number(in.items[0]);
  return true;
}

Coll Join(Context* c, Text a, Text b) {
  uint8_t* out = NewBytes(c, uint64_t{a.n} + b.n);
  if (out == nullptr) {
    return Empty();
  }
  Copy(out, a.p, a.n);
  Copy(out + a.n, b.p, b.n);
  return OneString(c, {out, a.n + b.n});
}

// `prefix`, then `rest` with all but RFC 3986's unreserved characters percent-encoded.
Coll Escaped(Context* c, Text prefix, Text rest) {
  uint8_t* out = NewBytes(c, prefix.n + uint64_t{rest.n} * 3);
  if (out == nullptr) {
    return Empty();
  }
  Copy(out, prefix.p, prefix.n);
  uint32_t size = prefix.n;
  for (uint32_t i = 0; i < rest.n; ++i) {
    uint8_t b = rest.p[i];
    uint8_t folded = Lower(b);
    if (Digit(b) || (folded >= 'a' && folded <= 'z') || b == '-' || b == '.' || b == '_' || b == '~') {
      out[size++] = b;
      continue;
    }
    uint8_t high = b >> 4, low = b & 15;
    out[size++] = '%';
    out[size++] = static_cast<uint8_t>(high < 10 ? '0' + high : 'A' + high - 10);
    out[size++] = static_cast<uint8_t>(low < 10 ? '0' + low : 'A' + low - 10);
  }
  return OneString(c, {out, size});
}

}  // namespace

// Case folded (ASCII), blank runs are one, outer ones do not count.
bool TextsEquivalent(Text a, Text b) {
  a = TrimSpace(a);
  b = TrimSpace(b);
  uint32_t i = 0, j = 0;
  while (i < a.n && j < b.n) {
    bool s = Space(a.p[i]), t = Space(b.p[j]);
    if (s != t) {
      return false;
    }
    if (!s) {
      if (Lower(a.p[i++]) != Lower(b.p[j++])) {
        return false;
      }
      continue;
    }
    while (i < a.n && Space(a.p[i])) {
      ++i;
    }
    while (j < b.n && Space(b.p[j])) {
      ++j;
    }
  }
  return i == a.n && j == b.n;
}

bool SingleString(Context* c, Coll in, Text* out) {
  if (in.count == 0) {
    return false;
  }
  if (in.count > 1 || in.items[0].kind != kString) {
    Fail(c);
    return false;
  }
  *out = TextOf(in.items[0]);
  return true;
}

bool ItemsEqual(const Item& a, const Item& b) {
  if (a.kind != b.kind) {
    return false;
  }
  switch (a.kind) {
    case kBoolean: return a.n == b.n;
    case kInteger: return a.p == b.p;
    default: return Same(TextOf(a), TextOf(b));
  }
}

extern "C" {

Coll wk_boolean_value(Context*, uint32_t tri) { return tri == kUnknown ? Empty() : Coll{&kTruths[tri & 1], 1}; }
Coll wk_integer_value(Context* c, int64_t value) { return OneItem(c, IntegerItem(value)); }

// Conditions: empty is false, anything but one Boolean fails the record.
uint32_t wk_truth(Context* c, Coll in) {
  if (in.count == 0) {
    return kFalse;
  }
  if (in.count > 1 || in.items[0].kind != kBoolean) {
    Fail(c);
    return kFalse;
  }
  return in.items[0].n;
}
// Singleton evaluation of FHIRPath: one item of another type is true.
uint32_t wk_singleton(Context* c, Coll in) {
  if (in.count == 0) {
    return kUnknown;
  }
  if (in.count > 1) {
    Fail(c);
    return kUnknown;
  }
  return in.items[0].kind == kBoolean ? in.items[0].n : kTrue;
}

uint32_t wk_equal(Context*, Coll a, Coll b) {
  if (a.count == 0 || b.count == 0) {
    return kUnknown;
  }
  if (a.count != b.count) {
    return kFalse;
  }
  for (uint64_t i = 0; i < a.count; ++i) {
    if (!ItemsEqual(a.items[i], b.items[i])) {
      return kFalse;
    }
  }
  return kTrue;
}

uint32_t wk_equivalent(Context* c, Coll a, Coll b) {
  if (a.count != b.count) {
    return kFalse;
  }
  uint8_t* taken = NewBytes(c, b.count);
  if (taken == nullptr) {
    return kFalse;
  }
  for (uint64_t j = 0; j < b.count; ++j) {
    taken[j] = 0;
  }
  for (uint64_t i = 0; i < a.count; ++i) {
    bool found = false;
    for (uint64_t j = 0; j < b.count && !found; ++j) {
      if (taken[j] == 0 && ItemsEquivalent(a.items[i], b.items[j])) {
        taken[j] = 1;
        found = true;
      }
    }
    if (!found) {
      return kFalse;
    }
  }
  return kTrue;
}

Coll wk_union(Context* c, Coll a, Coll b) {
  Item* items = NewItems(c, a.count + b.count);
  if (items == nullptr) {
    return Empty();
  }
  Coll out = {items, 0};
  for (uint64_t i = 0; i < a.count + b.count; ++i) {
    const Item& item = i < a.count ? a.items[i] : b.items[i - a.count];
    if (!Contains(out, item)) {
      items[out.count++] = item;
    }
  }
  return out;
}
Coll wk_combine(Context* c, Coll a, Coll b) {
  Item* items = NewItems(c, a.count + b.count);
  if (items == nullptr) {
    return Empty();
  }
  for (uint64_t i = 0; i < a.count + b.count; ++i) {
    items[i] = i < a.count ? a.items[i] : b.items[i - a.count];
  }
  return {items, a.count + b.count};
}
Coll wk_exclude(Context* c, Coll a, Coll b) {
  Item* items = NewItems(c, a.count);
  uint64_t count = 0;
  for (uint64_t i = 0; i < a.count && items != nullptr; ++i) {
    if (!Contains(b, a.items[i])) {
      items[count++] = a.items[i];
    }
  }
  return {items, count};
}
Coll wk_intersect(Context* c, Coll a, Coll b) {
  Item* items = NewItems(c, a.count);
  Coll out = {items, 0};
  for (uint64_t i = 0; i < a.count && items != nullptr; ++i) {
    if (Contains(b, a.items[i]) && !Contains(out, a.items[i])) {
      items[out.count++] = a.items[i];
    }
  }
  return out;
}
Coll wk_append(Context* c, Coll a, const Item* item) {
  if (a.items == nullptr || reinterpret_cast<const uint8_t*>(a.items + a.count) != c->heap) {
    return wk_combine(c, a, {item, 1});  // moves to the top of the heap, where the next append finds room
  }
  Item* p = NewItems(c, 1);
  if (p == nullptr) {
    return a;
  }
  *p = *item;
  return {a.items, a.count + 1};
}

uint32_t wk_in(Context* c, Coll single, Coll collection) {
  if (single.count == 0) {
    return kUnknown;
  }
  if (single.count > 1) {
    Fail(c);
    return kUnknown;
  }
  return TriOf(Contains(collection, single.items[0]));
}

// `op`: 0 <, 1 <=, 2 >, 3 >=
uint32_t wk_compare(Context* c, Coll a, Coll b, uint32_t op) {
  if (a.count > 1 || b.count > 1) {
    Fail(c);
    return kUnknown;
  }
  if (a.count == 0 || b.count == 0) {
    return kUnknown;
  }
  const Item &x = a.items[0], &y = b.items[0];
  int order = 0;
  if (x.kind == kString && y.kind == kString) {
    order = Order(TextOf(x), TextOf(y));
  } else if (x.kind == kInteger && y.kind == kInteger) {
    order = Number(x) < Number(y) ? -1 : Number(x) > Number(y) ? 1 : 0;
  } else {
    Fail(c);
    return kUnknown;
  }
  return TriOf(op == 0 ? order < 0 : op == 1 ? order <= 0 : op == 2 ? order > 0 : order >= 0);
}

Coll wk_concat(Context* c, Coll a, Coll b) {  // `&`: empty is ''
  Text x = {nullptr, 0}, y = {nullptr, 0};
  SingleString(c, a, &x);
  SingleString(c, b, &y);
  return Join(c, x, y);
}
Coll wk_arithmetic(Context* c, Coll a, Coll b, uint32_t op) {  // `+ - *` of Integers, `+` of Strings
  if (a.count > 1 || b.count > 1) {
    Fail(c);
  }
  if (a.count != 1 || b.count != 1) {
    return Empty();
  }
  const Item &x = a.items[0], &y = b.items[0];
  if (x.kind == kInteger && y.kind == kInteger) {
    int64_t m = Number(x), n = Number(y), value = op == '+' ? m + n : op == '-' ? m - n : m * n;
    return value >= INT32_MIN && value <= INT32_MAX ? OneItem(c, IntegerItem(value)) : Empty();
  }
  if (op == '+' && x.kind == kString && y.kind == kString) {
    return Join(c, TextOf(x), TextOf(y));
  }
  Fail(c);
  return Empty();
}

Coll wk_single(Context* c, Coll in) {
  if (in.count > 1) {
    Fail(c);
    return Empty();
  }
  return in;
}
Coll wk_index(Context* c, Coll in, Coll index) {
  int64_t i;
  return SingleInteger(c, index, &i) && i >= 0 && static_cast<uint64_t>(i) < in.count ? Coll{in.items + i, 1} : Empty();
}
Coll wk_skip_take(Context* c, Coll in, Coll count, bool take) {
  int64_t n;
  if (!SingleInteger(c, count, &n)) {
    return Empty();
  }
  uint64_t k = n < 0 ? 0 : static_cast<uint64_t>(n) > in.count ? in.count : static_cast<uint64_t>(n);
  return take ? Coll{in.items, k} : Coll{in.items + k, in.count - k};
}
Coll wk_distinct(Context* c, Coll in) { return wk_union(c, in, Empty()); }

Coll wk_upper(Context* c, Coll in) { return MapBytes(c, in, Upper); }
Coll wk_lower(Context* c, Coll in) { return MapBytes(c, in, Lower); }
Coll wk_trim(Context* c, Coll in) {
  Text t;
  return SingleString(c, in, &t) ? OneString(c, TrimSpace(t)) : Empty();
}
Coll wk_length(Context* c, Coll in) {
  Text t;
  return SingleString(c, in, &t) ? OneItem(c, IntegerItem(static_cast<int64_t>(CodePoints(t)))) : Empty();
}
uint32_t wk_string_test(Context* c, Coll in, Coll argument, uint32_t test) {  // 0 startsWith, 1 endsWith, 2 contains
  Text t, part;
  bool has_text = SingleString(c, in, &t), has_part = SingleString(c, argument, &part);
  if (!has_text || !has_part) {
    return kUnknown;
  }
  if (test == 2) {
    return TriOf(Find(t, part, false) >= 0);
  }
  return TriOf(part.n <= t.n && Same({test == 0 ? t.p : t.p + (t.n - part.n), part.n}, part));
}
Coll wk_index_of(Context* c, Coll in, Coll argument, bool last) {
  Text t, part;
  bool has_text = SingleString(c, in, &t), has_part = SingleString(c, argument, &part);
  if (!has_text || !has_part) {
    return Empty();
  }
  int64_t at = Find(t, part, last);
  return OneItem(c, IntegerItem(at < 0 ? -1 : static_cast<int64_t>(CodePoints({t.p, static_cast<uint32_t>(at)}))));
}
// The length comes in two: a third collection would leave the registers that lower/ counts on.
Coll wk_substring(Context* c, Coll in, Coll start, const Item* length, uint64_t lengths, bool has_length) {
  Text t;
  int64_t from = 0, count = INT32_MAX;
  bool has_text = SingleString(c, in, &t), has_start = SingleInteger(c, start, &from);
  if (has_length && !SingleInteger(c, {length, lengths}, &count)) {
    count = INT32_MAX;
  }
  if (!has_text || !has_start || from < 0 || static_cast<uint64_t>(from) >= CodePoints(t)) {
    return Empty();
  }
  if (count <= 0) {
    return OneString(c, {t.p, 0});
  }
  uint32_t begin = OffsetOfPoint(t, static_cast<uint64_t>(from));
  Text rest = {t.p + begin, t.n - begin};
  return OneString(c, {rest.p, OffsetOfPoint(rest, static_cast<uint64_t>(count))});
}

Coll wk_lookup(Context* c, Coll in, const Row* rows, uint64_t count, const Constant* otherwise) {
  Text t;
  if (!SingleString(c, in, &t)) {
    return Empty();
  }
  const Constant* value = otherwise;
  uint64_t low = 0, high = count;
  while (low < high) {
    uint64_t middle = (low + high) / 2;
    int order = Order(rows[middle].from, t);
    if (order == 0) {
      value = &rows[middle].value;
      break;
    }
    if (order < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return value != nullptr && value->n != 0 ? OneConstant(c, *value) : Empty();
}

// Whether a key's part is there: without it the parts after it are not evaluated.
bool wk_key_part(Context* c, Coll in) {
  Text part = {nullptr, 0};
  return SingleString(c, in, &part) && part.n != 0;
}

// `names`: the package, and type with keyspace, each with its size before it. `within`: the first
// part is the key it is within.
Coll wk_key(Context* c, const Text* names, const Coll* parts, uint64_t count, uint32_t type,
            bool within) {
  Text space = {c->snapshot->namespace_name, c->snapshot->namespace_size};
  Text texts[kMostKeyParts];
  uint64_t size = uint64_t{names[0].n} + names[1].n + space.n + 4;
  for (uint64_t i = 0; i < count; ++i) {
    texts[i] = {nullptr, 0};
    if (!SingleString(c, parts[i], &texts[i]) || texts[i].n == 0) {
      return Empty();
    }
    size += texts[i].n + 4;
  }
  auto* key = reinterpret_cast<Key*>(NewBytes(c, sizeof(Key)));
  uint8_t* hashed = NewBytes(c, size + kStep);
  if (key == nullptr || hashed == nullptr) {
    return Empty();
  }
  uint8_t* to = hashed;
  if (space.n != 0) {
    to = PutSized(to, space);
  } else {
    to = PutBytes(to, names[0]);
  }
  to = PutBytes(to, names[1]);
  for (uint64_t i = within ? 1 : 0; i < count; ++i) {
    to = PutSized(to, texts[i]);
  }
  SipHash(c->snapshot->namespace_key, hashed, static_cast<uint64_t>(to - hashed), key->own);
  c->heap = hashed;
  key->parent = within ? reinterpret_cast<const Key*>(texts[0].p) : nullptr;
  key->type = type;
  key->named = 0;
  if (within) {
    struct {
      uint32_t parent_size;
      uint8_t parent[16];
      uint32_t own_size;
      uint8_t own[16], slack[8];
    } pair = {16, {}, 16, {}, {}};
    __builtin_memcpy(pair.parent, key->parent->id, 16);
    __builtin_memcpy(pair.own, key->own, 16);
    SipHash(c->snapshot->namespace_key, reinterpret_cast<uint8_t*>(&pair), 40, key->id);
  } else {
    __builtin_memcpy(key->id, key->own, 16);
  }
  for (int i = 0; i < 4; ++i) {
    PutHex(key->text + 8 * i, key->id + 4 * i);
  }
  Item item = StringItem({key->text, 32});
  item.clean = kKeyText;
  return OneItem(c, item);
}

Coll wk_uri_escape(Context* c, Coll in) {
  Text t;
  return SingleString(c, in, &t) ? Escaped(c, {nullptr, 0}, t) : Empty();
}

// `declared`: pairs (namespace, uri) in the order of declaration; `unknown`: the prefix, or null.
Coll wk_authority(Context* c, Coll in, const Row* declared, uint64_t count, const Text* unknown) {
  if (in.count > 1) {
    Fail(c);
  }
  if (in.count != 1 || in.items[0].kind != kV2) {
    return Empty();
  }
  Text name = Piece(c, in.items[0], 1), universal = Piece(c, in.items[0], 2), kind = Piece(c, in.items[0], 3);
  for (uint64_t i = 0; i < count && name.n != 0; ++i) {
    if (Same(declared[i].from, name)) {
      return OneConstant(c, declared[i].value);
    }
  }
  if (Is(kind, "ISO")) {
    static const uint8_t kPrefix[] = {'u', 'r', 'n', ':', 'o', 'i', 'd', ':'};
    uint32_t points = 0;
    for (uint32_t i = 0; i < universal.n; ++i) {
      points += universal.p[i] == '.' ? 1 : 0;
    }
    Coll uri = Join(c, {kPrefix, 8}, universal);
    if (points > 1 && uri.count == 1 && Allowed(TextOf(uri.items[0]), kOid)) {
      return uri;
    }
  }
  if (Is(kind, "UUID")) {
    static const uint8_t kPrefix[] = {'u', 'r', 'n', ':', 'u', 'u', 'i', 'd', ':'};
    Item text = StringItem(universal);
    Coll low = MapBytes(c, {&text, 1}, Lower);
    Coll uri = low.count == 1 ? Join(c, {kPrefix, 9}, TextOf(low.items[0])) : Empty();
    if (uri.count == 1 && Allowed(TextOf(uri.items[0]), kUuid)) {
      return uri;
    }
  }
  if (Is(kind, "URI") && universal.n != 0) {
    return OneString(c, universal);
  }
  if (unknown == nullptr || (name.n == 0 && universal.n == 0)) {
    return Empty();
  }
  c->counters[WEIR_COUNT_UNKNOWN_AUTHORITY] = 1;
  Text rest = name.n != 0 ? name : universal;
  return Escaped(c, *unknown, rest);
}

}  // extern "C"

}  // namespace weir::kernel
