// Navigation in a v2 message and its text: slices of the input, copied only when an escape must be undone.
#include "runtime/kernel/rt.h"

namespace weir::kernel {
namespace {

constexpr uint32_t kMsh = WEIR_V2_ID('M', 'S', 'H');

WK_INLINE const weir_v2_segment& SegmentOf(Context* c, const Item& item) { return c->index->segments[item.segment]; }
WK_INLINE bool InHeader(Context* c, const Item& item) { return item.segment < c->index->segment_count && SegmentOf(c, item).id == kMsh; }
WK_INLINE uint32_t OffsetOf(Context* c, const uint8_t* p) { return static_cast<uint32_t>(p - c->input->bytes); }

bool FieldOf(Context* c, uint32_t ordinal, uint32_t n, Text* out) {
  const weir_v2_segment& s = c->index->segments[ordinal];
  const uint32_t* seps = c->index->seps + s.first;
  const uint8_t* bytes = c->input->bytes;
  if (n == 0 || s.fields == 0 || seps[0] != s.begin + 3) {
    return false;
  }
  if (s.id == kMsh) {
    if (n == 1) {
      *out = {bytes + seps[0], 1};
      return true;
    }
    --n;
  }
  if (n > s.fields) {
    return false;
  }
  *out = {bytes + seps[n - 1] + 1, seps[n] - seps[n - 1] - 1};
  return true;
}

bool IsNull(const Item& item) {
  Text t = Trim({item.p, item.n});
  return item.level >= kFieldLevel && t.n == 2 && t.p[0] == '"' && t.p[1] == '"';
}

// Calls `yield` with every written occurrence of a field.
template <typename Yield>
WK_INLINE void Occurrences(Context* c, const Item& segment, uint32_t n, Yield yield) {
  Text field;
  if (!FieldOf(c, segment.segment, n, &field)) {
    return;
  }
  uint8_t repetition = c->index->delims.repetition;
  bool whole = (n <= 2 && SegmentOf(c, segment).id == kMsh) || repetition == c->index->delims.field;
  uint32_t begin = 0;
  for (uint32_t at = 0; at <= field.n; ++at) {
    if (at == field.n || (!whole && field.p[at] == repetition)) {
      yield(Item{field.p + begin, at - begin, segment.segment, kV2, kFieldLevel, 0, {}});
      begin = at + 1;
    }
  }
}

// Collects at most `bound` items in place; the unused tail of the allocation goes back.
struct Builder {
  Context* c;
  Item* items = nullptr;
  uint64_t count = 0;
  void Open(Context* context) {
    c = context;
    items = reinterpret_cast<Item*>(c->heap);
  }
  void Add(const Item& item) {
    Item* p = NewItems(c, 1);
    if (p != nullptr) {
      *p = item;
      ++count;
    }
  }
  Coll Close() const { return {items, count}; }
};

}  // namespace

bool WholeField(Context* c, uint32_t segment, uint32_t field, Text* out) { return FieldOf(c, segment, field, out); }

Item ComponentOf(Context* c, const Item& item, uint32_t n) {
  const weir_v2_delims& d = c->index->delims;
  uint8_t level = item.level == kFieldLevel ? kComponentLevel : kSubcomponentLevel;
  uint8_t delimiter = item.level == kFieldLevel ? d.component : item.level == kComponentLevel ? d.subcomponent : d.field;
  uint32_t begin = 0;
  for (uint32_t at = 0; at <= item.n; ++at) {
    if (at == item.n || (item.p[at] == delimiter && delimiter != d.field)) {
      if (--n == 0) {
        return {item.p + begin, at - begin, item.segment, kV2, level, 0, {}};
      }
      begin = at + 1;
    }
  }
  return {item.p + item.n, 0, item.segment, kV2, level, 0, {}};
}

bool IsPresent(Context* c, const Item& item) {
  if (item.level < kFieldLevel) {
    return true;
  }
  const weir_v2_delims& d = c->index->delims;
  bool something = false;
  for (uint32_t i = 0; i < item.n && !something; ++i) {
    uint8_t b = item.p[i];
    bool delimiter = (item.level == kFieldLevel && b == d.component) || (item.level != kSubcomponentLevel && b == d.subcomponent);
    something = !Blank(b) && !delimiter;
  }
  if (!something) {
    bool header = InHeader(c, item) && OffsetOf(c, item.p) + item.n <= SegmentOf(c, item).begin + 9;
    something = header && item.n != 0;
  }
  return something && !IsNull(item);
}

namespace {

int Hex(uint8_t b) {
  return Digit(b) ? b - '0' : b >= 'a' && b <= 'f' ? b - 'a' + 10 : b >= 'A' && b <= 'F' ? b - 'A' + 10 : -1;
}

// Decodes `\X..\` to `out`; false when the bytes are not printable UTF-8.
bool HexBytes(const uint8_t* p, uint32_t n, uint8_t* out) {
  if (n % 2 != 0) {
    return false;
  }
  uint32_t need = 0, low = 0x80, high = 0xBF;
  for (uint32_t i = 0; i < n; i += 2) {
    int a = Hex(p[i]), b = Hex(p[i + 1]);
    if (a < 0 || b < 0) {
      return false;
    }
    auto byte = static_cast<uint8_t>(a * 16 + b);
    out[i / 2] = byte;
    if (need != 0) {
      if (byte < low || byte > high) {
        return false;
      }
      --need;
      low = 0x80;
      high = 0xBF;
    } else if (byte < 0x80) {
      if ((byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7F) {
        return false;
      }
    } else if (byte >= 0xC2 && byte < 0xE0) {
      need = 1;
    } else if (byte >= 0xE0 && byte < 0xF0) {
      need = 2;
      low = byte == 0xE0 ? 0xA0 : 0x80;
      high = byte == 0xED ? 0x9F : 0xBF;
    } else if (byte >= 0xF0 && byte < 0xF5) {
      need = 3;
      low = byte == 0xF0 ? 0x90 : 0x80;
      high = byte == 0xF4 ? 0x8F : 0xBF;
    } else {
      return false;
    }
  }
  return need == 0;
}

// Bytes written for the escape body, or -1 when it is none we know.
int64_t UndoEscape(const weir_v2_delims& d, const uint8_t* p, uint32_t n, uint8_t* out) {
  if (n == 1) {
    switch (p[0]) {
      case 'F': out[0] = d.field; return 1;
      case 'S': out[0] = d.component; return 1;
      case 'T': out[0] = d.subcomponent; return 1;
      case 'R': out[0] = d.repetition; return 1;
      case 'E': out[0] = d.escape; return 1;
      case 'H':
      case 'N': return 0;
      default: break;
    }
  }
  if (n >= 1 && p[0] == '.') {
    if (n == 3 && p[1] == 'b' && p[2] == 'r') {
      out[0] = '\n';
      return 1;
    }
    if (n < 3 || p[1] != 's' || p[2] != 'p') {
      return 0;
    }
    Text count = Trim({p + 3, n - 3});
    int64_t lines = count.n == 0 ? 1 : 0;
    for (uint32_t i = 0; i < count.n; ++i) {
      if (Digit(count.p[i])) {
        lines = lines * 10 + (count.p[i] - '0');
        lines = lines > 100 ? 100 : lines;
      }
    }
    for (int64_t i = 0; i < lines; ++i) {
      out[i] = '\n';
    }
    return lines;
  }
  if (n >= 3 && p[0] == 'X' && HexBytes(p + 1, n - 1, out)) {
    return (n - 1) / 2;
  }
  return -1;
}

__attribute__((noinline)) Text Unescape(Context* c, Text t) {
  const weir_v2_delims& d = c->index->delims;
  uint8_t* out = NewBytes(c, uint64_t{t.n} * 20 + 128);  // `\.sp99\`, 7 bytes, becomes 99
  if (out == nullptr) {
    return {t.p, 0};
  }
  uint64_t size = 0;
  for (uint32_t at = 0; at < t.n; ++at) {
    if (t.p[at] == d.escape) {
      uint32_t end = at + 1;
      while (end < t.n && t.p[end] != d.escape) {
        ++end;
      }
      if (end < t.n) {
        int64_t wrote = UndoEscape(d, t.p + at + 1, end - at - 1, out + size);
        if (wrote >= 0) {
          size += static_cast<uint64_t>(wrote);
          at = end;
          continue;
        }
      }
    }
    out[size++] = t.p[at];
  }
  c->heap = out + ((size + 7) & ~uint64_t{7});
  return {out, static_cast<uint32_t>(size)};
}

}  // namespace

Text DecodedText(Context* c, const Item& item, bool composite) {
  const weir_v2_delims& d = c->index->delims;
  if (item.level == kFieldLevel && InHeader(c, item) && OffsetOf(c, item.p) <= SegmentOf(c, item).begin + 4) {
    return {item.p, item.n};
  }
  Text t = {item.p, item.n};
  if (composite && (item.level == kFieldLevel || item.level == kComponentLevel)) {
    bool field = item.level == kFieldLevel;
    uint32_t n = 0;
    while (n < t.n && !(field && t.p[n] == d.component) && t.p[n] != d.subcomponent) {
      ++n;
    }
    t.n = n;
  }
  t = Trim(t);
  if (t.n == 2 && t.p[0] == '"' && t.p[1] == '"') {
    return {t.p, 0};
  }
  if ((c->index->flags & WEIR_V2_HAS_ESCAPE) != 0 && d.escape != d.field) {
    // Trimmed again afterwards: an escape may have made a blank at the edge.
    for (uint32_t i = 0; i < t.n; ++i) {
      if (t.p[i] == d.escape) {
        return Trim(Unescape(c, t));
      }
    }
  }
  return t;
}

Text Piece(Context* c, const Item& item, uint32_t n) {
  Item piece = ComponentOf(c, item, n);
  return IsPresent(c, piece) ? DecodedText(c, piece, true) : Text{item.p, 0};
}

Text FieldText(Context* c, uint32_t id, uint32_t field, uint32_t component) {
  for (uint32_t i = 0; i < c->index->segment_count; ++i) {
    if (c->index->segments[i].id != id) {
      continue;
    }
    Text text = {nullptr, 0};
    bool first = true;
    Occurrences(c, Item{nullptr, 0, i, kV2, kSegment, 0, {}}, field, [&](const Item& occurrence) {
      if (first) {
        first = false;
        Item piece = component > 0 ? ComponentOf(c, occurrence, component) : occurrence;
        text = IsPresent(c, piece) ? DecodedText(c, piece, true) : Text{nullptr, 0};
      }
    });
    return text;
  }
  return {nullptr, 0};
}

Text EventOf(Context* c) {
  Text t = FieldText(c, kMsh, 9, 2);
  if (t.n == 0) {
    t = FieldText(c, WEIR_V2_ID('E', 'V', 'N'), 1, 1);
  }
  bool lower = false;
  for (uint32_t i = 0; i < t.n; ++i) {
    lower |= t.p[i] >= 'a' && t.p[i] <= 'z';
  }
  uint8_t* out = lower ? NewBytes(c, t.n) : nullptr;
  if (out == nullptr) {
    return t;
  }
  for (uint32_t i = 0; i < t.n; ++i) {
    out[i] = t.p[i] >= 'a' && t.p[i] <= 'z' ? static_cast<uint8_t>(t.p[i] - 32) : t.p[i];
  }
  return {out, t.n};
}

extern "C" {

Coll wk_message(Context* c) { return OneItem(c, {nullptr, c->index->segment_count, 0, kV2, kMessage, 0, {}}); }

Coll wk_segments(Context* c, Coll in, uint32_t id) {
  Builder out;
  out.Open(c);
  for (uint64_t k = 0; k < in.count; ++k) {
    const Item& item = in.items[k];
    if (item.kind != kV2 || item.level > kSegment) {
      continue;
    }
    uint32_t first = item.segment, last = item.level == kSegment ? first + 1 : first + item.n;
    for (uint32_t i = first; i < last; ++i) {
      const weir_v2_segment& s = c->index->segments[i];
      if (s.id == id && s.id != 0 && (item.level != kGroup || InGroup(c, i, item))) {
        out.Add({c->input->bytes + s.begin, s.end - s.begin, i, kV2, kSegment, 0, {}});
      }
    }
  }
  return out.Close();
}

Coll wk_field(Context* c, Coll in, uint32_t n) {
  Builder out;
  out.Open(c);
  for (uint64_t k = 0; k < in.count; ++k) {
    if (in.items[k].kind == kV2) {
      Occurrences(c, in.items[k], n, [&](const Item& occurrence) {
        if (IsPresent(c, occurrence)) {
          out.Add(occurrence);
        }
      });
    }
  }
  return out.Close();
}

Coll wk_repetition(Context* c, Coll in, uint32_t n, uint32_t repetition) {
  Builder out;
  out.Open(c);
  for (uint64_t k = 0; k < in.count; ++k) {
    uint32_t written = 0;
    if (in.items[k].kind == kV2) {
      Occurrences(c, in.items[k], n, [&](const Item& occurrence) {
        if (++written == repetition && IsPresent(c, occurrence)) {
          out.Add(occurrence);
        }
      });
    }
  }
  return out.Close();
}

Coll wk_component(Context* c, Coll in, uint32_t n) {
  Builder out;
  out.Open(c);
  for (uint64_t k = 0; k < in.count; ++k) {
    if (in.items[k].kind == kV2) {
      Item piece = ComponentOf(c, in.items[k], n);
      if (IsPresent(c, piece)) {
        out.Add(piece);
      }
    }
  }
  return out.Close();
}

Coll wk_subcomponent(Context* c, Coll in, uint32_t n) {
  Builder out;
  out.Open(c);
  for (uint64_t k = 0; k < in.count; ++k) {
    if (in.items[k].kind == kV2) {
      Item from = in.items[k].level == kFieldLevel ? ComponentOf(c, in.items[k], 1) : in.items[k];
      Item piece = ComponentOf(c, from, n);
      if (IsPresent(c, piece)) {
        out.Add(piece);
      }
    }
  }
  return out.Close();
}

Coll wk_text(Context* c, Coll in, bool composite) {
  Item* items = NewItems(c, in.count);
  if (items == nullptr) {
    return Empty();
  }
  uint64_t count = 0;
  for (uint64_t k = 0; k < in.count; ++k) {
    if (in.items[k].kind == kString) {
      items[count++] = in.items[k];
    } else if (in.items[k].kind == kV2) {
      Text t = DecodedText(c, in.items[k], composite);
      if (t.n != 0) {
        items[count++] = StringItem(t);
      }
    }
  }
  return {items, count};
}

// Written occurrences of a path, absent and null ones too: what `isnull` looks at.
Coll wk_written_field(Context* c, Coll in, uint32_t n) {
  Builder out;
  out.Open(c);
  for (uint64_t k = 0; k < in.count; ++k) {
    if (in.items[k].kind == kV2) {
      Occurrences(c, in.items[k], n, [&](const Item& occurrence) { out.Add(occurrence); });
    }
  }
  return out.Close();
}

Coll wk_written_piece(Context* c, Coll in, uint32_t n, bool subcomponent) {
  Builder out;
  out.Open(c);
  for (uint64_t k = 0; k < in.count; ++k) {
    if (in.items[k].kind == kV2) {
      bool from_field = subcomponent && in.items[k].level == kFieldLevel;
      out.Add(ComponentOf(c, from_field ? ComponentOf(c, in.items[k], 1) : in.items[k], n));
    }
  }
  return out.Close();
}

uint32_t wk_any_null(Context*, Coll in) {
  for (uint64_t k = 0; k < in.count; ++k) {
    if (in.items[k].kind == kV2 && IsNull(in.items[k])) {
      return 1;
    }
  }
  return 0;
}

Coll wk_event(Context* c) {
  Text t = EventOf(c);
  return t.n != 0 ? OneString(c, t) : Empty();
}

}  // extern "C"

}  // namespace weir::kernel
