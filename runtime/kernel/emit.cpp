// Canonical JSON: FHIR primitives, strings with minimal escapes, references; and the contributions of a transform.
#include "runtime/kernel/write.h"

namespace weir::kernel {
namespace {

void PutEscaped(Context* c, Text t) {
  uint8_t* out = c->cur;
  for (uint32_t i = 0; i < t.n; ++i) {
    // Eight at a time while none needs an escape: a byte below 0x20, a quote or a backslash sets the high bit of its byte (or of one after it,
    // which only means that the bytes are looked at one by one).
    while (i + 8 <= t.n) {
      uint64_t word;
      __builtin_memcpy(&word, t.p + i, 8);
      uint64_t quote = word ^ 0x2222222222222222, backslash = word ^ 0x5c5c5c5c5c5c5c5c;
      uint64_t special = ((word - 0x2020202020202020) & ~word) | ((quote - 0x0101010101010101) & ~quote) |
                         ((backslash - 0x0101010101010101) & ~backslash);
      if ((special & 0x8080808080808080) != 0) {
        break;
      }
      __builtin_memcpy(out, &word, 8);
      out += 8;
      i += 8;
    }
    if (i == t.n) {
      break;
    }
    uint8_t b = t.p[i];
    if (b >= 0x20 && b != '"' && b != '\\') [[likely]] {
      *out++ = b;
      continue;
    }
    *out++ = '\\';
    switch (b) {
      case '"':
      case '\\': *out++ = b; break;
      case '\b': *out++ = 'b'; break;
      case '\f': *out++ = 'f'; break;
      case '\n': *out++ = 'n'; break;
      case '\r': *out++ = 'r'; break;
      case '\t': *out++ = 't'; break;
      default:
        *out++ = 'u';
        *out++ = '0';
        *out++ = '0';
        *out++ = static_cast<uint8_t>('0' + (b >> 4));
        *out++ = static_cast<uint8_t>((b & 15) < 10 ? '0' + (b & 15) : 'a' + (b & 15) - 10);
    }
  }
  c->cur = out;
}

bool Quoted(Context* c, Text t) {
  if (Room(c, uint64_t{t.n} * 6 + 2)) {
    Put(c, '"');
    PutEscaped(c, t);
    Put(c, '"');
  }
  return true;
}

bool Integer(Context* c, Text t, uint32_t kind) {
  bool minus = t.n != 0 && t.p[0] == '-';
  if (t.n != 0 && (t.p[0] == '-' || t.p[0] == '+')) {
    ++t.p;
    --t.n;
  }
  if (t.n == 0) {
    return false;
  }
  int64_t value = 0;
  for (uint32_t i = 0; i < t.n; ++i) {
    if (!Digit(t.p[i])) {
      return false;
    }
    value = value > 4000000000 ? value : value * 10 + (t.p[i] - '0');
  }
  value = minus ? -value : value;
  int64_t least = kind == kPositiveInt ? 1 : kind == kUnsignedInt ? 0 : INT32_MIN;
  if (value < least || value > INT32_MAX) {
    return false;
  }
  if (Room(c, 12)) {
    if (value < 0) {
      Put(c, '-');
      value = -value;
    }
    int64_t unit = 1;
    while (unit <= value / 10) {
      unit *= 10;
    }
    for (; unit != 0; unit /= 10) {
      Put(c, static_cast<uint8_t>('0' + value / unit % 10));
    }
  }
  return true;
}

// A number's digits, however many; `whole` without superfluous zeros.
struct Digits {
  bool minus;
  Text whole, fraction;
};
bool ReadDigits(Text t, Digits* out) {
  out->minus = t.n != 0 && t.p[0] == '-';
  if (t.n != 0 && (t.p[0] == '-' || t.p[0] == '+')) {
    ++t.p;
    --t.n;
  }
  uint32_t point = 0;
  while (point < t.n && Digit(t.p[point])) {
    ++point;
  }
  if (point < t.n && t.p[point] != '.') {
    return false;
  }
  Text whole = {t.p, point};
  Text fraction = point < t.n ? Text{t.p + point + 1, t.n - point - 1} : Text{t.p, 0};
  for (uint32_t i = 0; i < fraction.n; ++i) {
    if (!Digit(fraction.p[i])) {
      return false;
    }
  }
  if (whole.n == 0 && fraction.n == 0) {
    return false;
  }
  while (whole.n > 1 && whole.p[0] == '0') {
    ++whole.p;
    --whole.n;
  }
  out->whole = whole;
  out->fraction = fraction;
  return true;
}

bool Decimal(Context* c, Text t) {
  Digits d;
  if (!ReadDigits(t, &d)) {
    return false;
  }
  if (Room(c, uint64_t{t.n} + 3)) {
    if (d.minus) {
      Put(c, '-');
    }
    if (d.whole.n == 0) {
      Put(c, '0');
    }
    PutRaw(c, d.whole);
    if (d.fraction.n != 0) {
      Put(c, '.');
      PutRaw(c, d.fraction);
    }
  }
  return true;
}

// -1, 0 or 1, signs aside.
int CompareSizes(Digits a, Digits b) {
  for (; a.whole.n != 0 && a.whole.p[0] == '0'; --a.whole.n) {
    ++a.whole.p;
  }
  for (; b.whole.n != 0 && b.whole.p[0] == '0'; --b.whole.n) {
    ++b.whole.p;
  }
  if (a.whole.n != b.whole.n) {
    return a.whole.n < b.whole.n ? -1 : 1;
  }
  for (uint32_t i = 0; i < a.whole.n; ++i) {
    if (a.whole.p[i] != b.whole.p[i]) {
      return a.whole.p[i] < b.whole.p[i] ? -1 : 1;
    }
  }
  for (uint32_t i = 0; i < a.fraction.n || i < b.fraction.n; ++i) {
    uint8_t x = i < a.fraction.n ? a.fraction.p[i] : '0', y = i < b.fraction.n ? b.fraction.p[i] : '0';
    if (x != y) {
      return x < y ? -1 : 1;
    }
  }
  return 0;
}

bool Code(Context* c, Text t) {  // blank runs become one space
  t = Trim(t);
  if (!Room(c, uint64_t{t.n} * 6 + 2)) {
    return true;
  }
  Put(c, '"');
  for (uint32_t i = 0; i < t.n;) {
    uint32_t end = i;
    while (end < t.n && !Blank(t.p[end])) {
      ++end;
    }
    PutEscaped(c, {t.p + i, end - i});
    i = end;
    while (i < t.n && Blank(t.p[i])) {
      ++i;
    }
    if (i > end) {
      Put(c, ' ');
    }
  }
  Put(c, '"');
  return true;
}

WK_INLINE bool LowerHex(uint8_t b) { return Digit(b) || (b >= 'a' && b <= 'f'); }
WK_INLINE bool Prefixed(Text t, const char* prefix, uint32_t n) {
  for (uint32_t i = 0; i < n; ++i) {
    if (i >= t.n || t.p[i] != static_cast<uint8_t>(prefix[i])) {
      return false;
    }
  }
  return true;
}

}  // namespace

bool Allowed(Text t, uint32_t kind) {
  switch (kind) {
    case kUri:
      for (uint32_t i = 0; i < t.n; ++i) {
        // Eight at a time while none is a control or a blank.
        for (uint64_t word; i + 8 <= t.n; i += 8) {
          __builtin_memcpy(&word, t.p + i, 8);
          if (((word - 0x2121212121212121) & ~word & 0x8080808080808080) != 0) {
            break;
          }
        }
        if (i == t.n) {
          break;
        }
        if (t.p[i] == ' ' || (t.p[i] >= '\t' && t.p[i] <= '\r')) {
          return false;
        }
      }
      return true;
    case kId:
      for (uint32_t i = 0; i < t.n; ++i) {
        uint8_t b = t.p[i], folded = b | 32;
        if (!Digit(b) && !(folded >= 'a' && folded <= 'z') && b != '-' && b != '.') {
          return false;
        }
      }
      return t.n != 0 && t.n <= 64;
    case kOid: {
      if (!Prefixed(t, "urn:oid:", 8) || t.n < 11 || t.p[8] < '0' || t.p[8] > '2' || t.p[9] != '.') {
        return false;
      }
      for (uint32_t at = 9; at < t.n;) {  // on a point
        uint32_t first = ++at;
        while (at < t.n && t.p[at] != '.') {
          if (!Digit(t.p[at++])) {
            return false;
          }
        }
        if (at == first || (t.p[first] == '0' && at - first > 1)) {
          return false;
        }
      }
      return true;
    }
    case kUuid:
      if (!Prefixed(t, "urn:uuid:", 9) || t.n != 45) {
        return false;
      }
      for (uint32_t i = 0; i < 36; ++i) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? t.p[9 + i] != '-' : !LowerHex(t.p[9 + i])) {
          return false;
        }
      }
      return true;
    default:
      return true;
  }
}

namespace {

// What FHIR's date types make of the text, by docs/ir.md, Emission.
bool ReadTime(Context* c, Text text, uint32_t kind, Temporal* out) {
  Temporal t;
  if (kind == kTime) {
    if (!(ParseHl7Time(text, &t) || ParseIsoTime(text, &t)) || t.precision < kMinute || t.has_offset) {
      return false;
    }
    t.precision = t.precision < kSecond ? static_cast<uint8_t>(kSecond) : t.precision;
  } else {
    if (!ParseHl7(text, &t) && !ParseIso(text, &t)) {
      return false;
    }
    bool placeless = !t.has_offset && c->zone == nullptr;
    if (kind == kInstant && (t.precision < kSecond || placeless)) {
      return false;
    }
    bool short_date = kind == kDate || t.precision <= kDay;
    if (short_date || t.precision == kHour || placeless) {
      c->counters[WEIR_COUNT_DEGRADED] += short_date ? 0 : 1;
      t.precision = t.precision > kDay ? static_cast<uint8_t>(kDay) : t.precision;
    } else {
      t.precision = t.precision < kSecond ? static_cast<uint8_t>(kSecond) : t.precision;
      if (!t.has_offset) {
        t.has_offset = 1;
        t.offset = OffsetAt(c->zone, LocalSeconds(t)) / 60;
        t.zulu = c->zone->is_utc != 0;
      }
    }
  }
  *out = t;
  return true;
}

bool Time(Context* c, Text text, uint32_t kind) {
  Temporal t;
  if (!ReadTime(c, text, kind, &t)) {
    return false;
  }
  if (Room(c, 48)) {
    Put(c, '"');
    c->cur += Format(t, c->cur);
    Put(c, '"');
  }
  return true;
}

// FHIRPath's `a <= b`, of what ReadTime leaves: a date, or seconds with or without an offset.
bool NoLater(const Temporal& a, const Temporal& b) {
  if (a.precision >= kSecond && b.precision >= kSecond) {
    if (a.has_offset != b.has_offset) {
      return false;
    }
    int64_t x = LocalSeconds(a) - (a.has_offset ? a.offset * 60 : 0), y = LocalSeconds(b) - (b.has_offset ? b.offset * 60 : 0);
    return x != y ? x < y : a.nanos <= b.nanos;
  }
  const int32_t left[] = {a.year, a.month, a.day}, right[] = {b.year, b.month, b.day};
  for (int i = 0; i < 3; ++i) {
    bool has_left = i <= a.precision, has_right = i <= b.precision;
    if (has_left != has_right) {
      return false;
    }
    if (!has_left) {
      return true;
    }
    if (left[i] != right[i]) {
      return left[i] < right[i];
    }
  }
  return a.precision == b.precision;
}

bool FromText(Context* c, Text t, uint32_t kind) {
  switch (kind) {
    case kCode: return Code(c, t);
    case kBool: {
      bool yes = Is(t, "Y") || Is(t, "true"), no = Is(t, "N") || Is(t, "false");
      if ((yes || no) && Room(c, 5)) {
        PutRaw(c, yes ? Text{reinterpret_cast<const uint8_t*>("true"), 4} : Text{reinterpret_cast<const uint8_t*>("false"), 5});
      }
      return yes || no;
    }
    case kInt:
    case kPositiveInt:
    case kUnsignedInt: return Integer(c, t, kind);
    case kDecimal: return Decimal(c, t);
    case kDate:
    case kDateTime:
    case kInstant:
    case kTime: return Time(c, t, kind);
    default: return Allowed(t, kind) && Quoted(c, t);
  }
}

// What ToText says of a Boolean or Integer; `buffer` has 24 bytes.
Text Spelled(const Item& item, uint8_t* buffer) {
  if (item.kind == kBoolean) {
    return item.n != 0 ? Text{reinterpret_cast<const uint8_t*>("true"), 4} : Text{reinterpret_cast<const uint8_t*>("false"), 5};
  }
  auto value = reinterpret_cast<int64_t>(item.p);
  uint64_t size = value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  uint8_t* p = buffer + 24;
  do {
    *--p = static_cast<uint8_t>('0' + size % 10);
    size /= 10;
  } while (size != 0);
  if (value < 0) {
    *--p = '-';
  }
  return {p, static_cast<uint32_t>(buffer + 24 - p)};
}

WK_INLINE void Separate(Context* c, bool in_array) {
  if (in_array && c->cur[-1] != '[' && c->cur[-1] != '{' && Room(c, 1)) {
    Put(c, ',');
  }
}

}  // namespace

extern "C" {

// Constants have kConstantSlack readable bytes behind them.
void wk_put(Context* c, const uint8_t* p, uint64_t n, bool comma) {
  if (Room(c, n + kStep)) {
    PutLead(c, p, n, comma);
    Bound(c);
  }
}
void wk_separate(Context* c, bool in_array) { Separate(c, in_array); }

// The text of the one item; false when there is none. `buffer` has 24 bytes.
WK_INLINE bool PrimitiveText(Context* c, Coll in, uint8_t* buffer, Text* out) {
  if (in.count != 1) {
    if (in.count > 1) {
      Fail(c);
    }
    return false;
  }
  const Item& item = in.items[0];
  *out = item.kind == kV2 ? DecodedText(c, item, true) : item.kind == kString ? TextOf(item) : Spelled(item, buffer);
  return out->n != 0;
}
WK_INLINE bool FitsKind(const Item& item, uint32_t kind) { return item.kind == kV2 || item.kind == kString || kind < kDate; }

// Whether wk_primitive would write; nothing is counted.
bool wk_fits(Context* c, Coll in, uint32_t kind) {
  uint8_t buffer[24];
  Text t;
  if (!PrimitiveText(c, in, buffer, &t)) {
    return false;
  }
  uint8_t* mark = c->cur;
  uint32_t degraded = c->counters[WEIR_COUNT_DEGRADED];
  bool fits = FitsKind(in.items[0], kind) && FromText(c, t, kind);
  c->cur = mark;
  c->counters[WEIR_COUNT_DEGRADED] = degraded;
  return fits;
}

bool wk_ordered(Context* c, Coll first, Coll second) {
  uint8_t buffer[2][24];
  Text a, b;
  Temporal x, y;
  uint32_t degraded = c->counters[WEIR_COUNT_DEGRADED];
  bool both = PrimitiveText(c, first, buffer[0], &a);
  both = PrimitiveText(c, second, buffer[1], &b) && both;
  both = both && ReadTime(c, a, kDateTime, &x) && ReadTime(c, b, kDateTime, &y);
  c->counters[WEIR_COUNT_DEGRADED] = degraded;
  return both && NoLater(x, y);
}

bool wk_ordered_decimal(Context* c, Coll first, Coll second) {
  uint8_t buffer[2][24];
  Text a, b;
  Digits x, y;
  bool both = PrimitiveText(c, first, buffer[0], &a);
  both = PrimitiveText(c, second, buffer[1], &b) && both;
  if (!both || !FitsKind(first.items[0], kDecimal) || !FitsKind(second.items[0], kDecimal) || !ReadDigits(a, &x) || !ReadDigits(b, &y)) {
    return false;
  }
  int sizes = CompareSizes(x, y);
  if (x.minus != y.minus) {
    Digits zero = {false, {x.whole.p, 0}, {x.whole.p, 0}};
    return x.minus || (CompareSizes(x, zero) == 0 && CompareSizes(y, zero) == 0);
  }
  return x.minus ? sizes >= 0 : sizes <= 0;
}

}  // extern "C"

bool WriteText(Context* c, Text t, bool fits_kind, const uint8_t* lead, Writing how) {
  uint8_t* mark = c->cur;
  if (how.lead_size() != 0 && Room(c, how.lead_size() + kStep)) {
    PutLead(c, lead, how.lead_size(), how.comma());
  }
  if (!fits_kind || !FromText(c, t, how.kind())) {
    c->cur = mark;
    if (how.degrade()) {
      ++c->counters[WEIR_COUNT_DEGRADED];
    } else if (c->failure == kNone) {
      c->failure = kRejected;
      c->site = how.site();
    }
    return false;
  }
  PutTail(c, lead, how);
  Bound(c);
  return true;
}

bool WritePrimitive(Context* c, Coll in, const uint8_t* lead, Writing how) {
  uint8_t buffer[24];
  Text t;
  if (!PrimitiveText(c, in, buffer, &t)) {
    return false;
  }
  const Item& item = in.items[0];
  if (item.kind == kString && item.clean != kUnknownText) {
    // A key is an id.
    bool key = item.clean == kKeyText && how.kind() == kId;
    if (WriteClean(c, t, lead, key ? Writing{how.bits - (uint64_t{kId - kText} << Writing::kKindShift)} : how)) {
      return true;
    }
  }
  return WriteText(c, t, FitsKind(item, how.kind()), lead, how);
}

// The record's output says what this key and those around it are within.
static void NameKey(Context* c, const Item& item) {
  if (item.clean != kKeyText || c->failure != kNone) {
    return;
  }
  weir_output* o = c->output;
  for (auto* key = reinterpret_cast<Key*>(const_cast<uint8_t*>(item.p));
       key->parent != nullptr && key->named == 0; key = const_cast<Key*>(key->parent)) {
    if (o->key_count >= o->key_capacity) {
      c->output_full = 1;
      return;
    }
    key->named = 1;
    weir_key* row = &o->keys[o->key_count++];
    row->type = key->type;
    row->parent_type = key->parent->type;
    __builtin_memcpy(row->id, key->text, 32);
    __builtin_memcpy(row->parent, key->parent->text, 32);
    __builtin_memcpy(row->own, key->own, 16);
  }
}

extern "C" {

bool wk_primitive(Context* c, Coll in, const uint8_t* lead, uint64_t how) { return WritePrimitive(c, in, lead, {how}); }

// The lead ends with `{"reference":"Type/`, the tail starts with `"}`.
bool wk_reference(Context* c, Coll in, const uint8_t* lead, uint64_t how) {
  Text id;
  Writing writing = {how};
  if (!SingleString(c, in, &id) || id.n == 0) {
    return false;
  }
  NameKey(c, in.items[0]);
  if (Room(c, writing.lead_size() + uint64_t{id.n} * 6 + kStep)) {
    PutLead(c, lead, writing.lead_size(), writing.comma());
    if (in.items[0].clean != kUnknownText) {
      PutWide(c, id.p, id.n);
    } else {
      PutEscaped(c, id);
    }
  }
  PutTail(c, lead, writing);
  Bound(c);
  return true;
}

// A resource id, or null: empty, or not of 32 characters (which fails).
const uint8_t* wk_id(Context* c, Coll in) {
  Text id;
  if (!SingleString(c, in, &id) || id.n == 0) {
    return nullptr;
  }
  if (id.n != 32) {
    Fail(c);
    return nullptr;
  }
  NameKey(c, in.items[0]);
  return c->failure == kNone ? id.p : nullptr;
}

// Starts a contribution's body; the tag lies before it. Returns where the tag began.
uint32_t wk_body_begin(Context* c, Coll tag) {
  auto begin = static_cast<uint32_t>(c->cur - c->output->bytes);
  Text t = {nullptr, 0};
  SingleString(c, tag, &t);
  if (Room(c, uint64_t{t.n} + 8)) {
    PutRaw(c, t);
  } else if (c->cur == c->output->bytes) {
    ++c->cur;  // what follows looks at the byte before; nothing of this call will be read
  }
  c->body = c->cur;
  return begin;
}

WK_INLINE weir_contribution* NewContribution(Context* c, uint32_t op, uint32_t map, uint32_t type, const uint8_t* id) {
  weir_output* o = c->output;
  if (o->item_count >= o->item_capacity) {
    c->output_full = 1;
    return nullptr;
  }
  weir_contribution* item = &o->items[o->item_count++];
  *item = {};
  item->op = op;
  item->map = map;
  item->type = type;
  Copy(reinterpret_cast<uint8_t*>(item->id), id, 32);
  return item;
}

void wk_body_end(Context* c, uint32_t begin, bool wrote, uint32_t op, uint32_t map, uint32_t type, const uint8_t* id) {
  uint8_t* bytes = c->output->bytes;
  weir_contribution* item = wrote && c->failure == kNone ? NewContribution(c, op, map, type, id) : nullptr;
  if (item == nullptr) {
    c->cur = bytes + begin;
    return;
  }
  auto body = static_cast<uint32_t>(c->body - bytes);
  item->tag_offset = begin;
  item->tag_size = body - begin;
  item->body_offset = body;
  item->body_size = static_cast<uint32_t>(c->cur - c->body);
}

void wk_retract(Context* c, Coll tags, uint32_t map, uint32_t type, const uint8_t* id) {
  weir_contribution* item = c->failure == kNone ? NewContribution(c, WEIR_OP_RETRACT, map, type, id) : nullptr;
  if (item == nullptr) {
    return;
  }
  uint8_t* begin = c->cur;
  for (uint64_t i = 0; i < tags.count; ++i) {
    Text t = {nullptr, 0};
    SingleString(c, {tags.items + i, 1}, &t);
    if (Room(c, uint64_t{t.n} + 1)) {
      if (c->cur != begin) {
        Put(c, ',');
      }
      PutRaw(c, t);
    }
  }
  item->tag_offset = static_cast<uint32_t>(begin - c->output->bytes);
  item->tag_size = static_cast<uint32_t>(c->cur - begin);
  item->body_offset = static_cast<uint32_t>(c->cur - c->output->bytes);
}

void wk_alias(Context* c, uint32_t type, const uint8_t* loser, const uint8_t* survivor) {
  if (Same({loser, 32}, {survivor, 32})) {
    return;
  }
  weir_contribution* item = NewContribution(c, WEIR_OP_ALIAS, 0, type, loser);
  if (item != nullptr) {
    Copy(reinterpret_cast<uint8_t*>(item->other_id), survivor, 32);
    item->tag_offset = item->body_offset = static_cast<uint32_t>(c->cur - c->output->bytes);
  }
}

void wk_reject(Context* c, uint32_t site) {
  if (c->failure == kNone) {
    c->failure = kRejected;
    c->site = site;
  }
}

}  // extern "C"

}  // namespace weir::kernel
