// A v2 path in one step: the text of a (sub)component of a field's occurrence, found by the index's marks. What is not the
// common case (several segments or occurrences, MSH-1 and MSH-2, null, escapes) is left to the operations of v2.cpp, one by one.
#include "runtime/kernel/write.h"

namespace weir::kernel {
namespace {

constexpr uint32_t kMsh = WEIR_V2_ID('M', 'S', 'H');

// First mark in [from, end), or `end`; for what is longer than a window.
__attribute__((noinline)) uint32_t NextMark(const Context* c, uint32_t kind, uint32_t from, uint32_t end) {
  if (from >= end) {
    return end;
  }
  const uint64_t* word = c->index->marks[kind] + (from >> 6);
  uint64_t bits = *word >> (from & 63);
  if (bits != 0) {
    uint32_t at = from + static_cast<uint32_t>(__builtin_ctzll(bits));
    return at < end ? at : end;
  }
  for (uint32_t base = (from | 63) + 1; base < end; base += 64) {
    if (*++word != 0) {
      uint32_t at = base + static_cast<uint32_t>(__builtin_ctzll(*word));
      return at < end ? at : end;
    }
  }
  return end;
}

// The marks of the 64 bytes from `at`.
WK_INLINE uint64_t Window(const Context* c, uint32_t kind, uint32_t at) {
  const uint64_t* word = c->index->marks[kind] + (at >> 6);
  uint32_t shift = at & 63;
  return word[0] >> shift | word[1] << 1 << (63 - shift);
}
constexpr uint32_t kWindow = 64;
WK_INLINE uint64_t Below(uint32_t n) { return ~uint64_t{0} >> (kWindow - n); }  // the n lowest bits, n from 1 to 64

struct Range {
  uint32_t begin, end;
  uint32_t size() const { return end - begin; }
};

// The nth part between marks; false when there are fewer or it is empty. The range is not empty, and no longer than a window
// unless kWide.
template <bool kWide>
WK_INLINE bool Part(const Context* c, uint32_t kind, uint32_t n, Range* range) {
  if constexpr (kWide) {
    while (--n != 0) {
      range->begin = NextMark(c, kind, range->begin, range->end) + 1;
      if (range->begin >= range->end) {
        return false;
      }
    }
    range->end = NextMark(c, kind, range->begin, range->end);
    return range->begin < range->end;
  }
  uint64_t marks = Window(c, kind, range->begin) & Below(range->size());
  uint32_t begin = 0;
  for (; --n != 0; marks &= marks - 1) {
    if (marks == 0) {
      return false;
    }
    begin = static_cast<uint32_t>(__builtin_ctzll(marks)) + 1;
  }
  range->end = marks != 0 ? range->begin + static_cast<uint32_t>(__builtin_ctzll(marks)) : range->end;
  range->begin += begin;
  return range->begin < range->end;
}

enum Found : uint32_t { kNothing, kPiece, kLong };  // kLong: take the long way

struct Slice {
  Range range;
  uint32_t segment;
  uint8_t level;
};
WK_INLINE Item ItemOf(const Context* c, const Slice& piece) {
  return {c->input->bytes + piece.range.begin, piece.range.size(), piece.segment, kV2, piece.level, kUnknownText, {}};
}

// Narrows the piece to its nth part, as ComponentOf does.
template <bool kWide>
WK_INLINE bool Descend(const Context* c, uint32_t n, Slice* piece) {
  if (piece->level == kSubcomponentLevel) {
    return n == 1;
  }
  bool field = piece->level == kFieldLevel;
  piece->level = field ? kComponentLevel : kSubcomponentLevel;
  return Part<kWide>(c, field ? WEIR_V2_MARK_COMPONENT : WEIR_V2_MARK_SUBCOMPONENT, n, &piece->range);
}

// From a field's text, or from a value's, to what the path means in it.
template <bool kWide>
WK_INLINE Found Narrow(Context* c, Path path, Slice* piece) {
  bool only = true;
  if (path.field() != 0) {
    if (path.occurrence() > Path::kFirst) {
      if (!Part<kWide>(c, WEIR_V2_MARK_REPETITION, path.occurrence() - Path::kFirst, &piece->range)) {
        return kNothing;
      }
    } else {
      uint32_t end = piece->range.end;
      if (!Part<kWide>(c, WEIR_V2_MARK_REPETITION, 1, &piece->range)) {
        return kLong;  // the first is empty, later ones may not be
      }
      only = end == piece->range.end;
      if (!only && path.occurrence() != Path::kFirst) {
        return kLong;
      }
    }
  }
  // A piece that is there makes the field it is in be there; one that is not says nothing about a later occurrence.
  Found none = only ? kNothing : kLong;
  if ((path.component() != 0 && !Descend<kWide>(c, path.component(), piece)) ||
      (path.subcomponent() != 0 && !Descend<kWide>(c, path.subcomponent(), piece))) {
    return none;
  }
  const weir_v2_delims& d = c->index->delims;
  uint8_t first = c->input->bytes[piece->range.begin];
  bool plain = first > ' ' && first != '"' && first != d.subcomponent && first != d.component;
  return plain || IsPresent(c, ItemOf(c, *piece)) ? kPiece : none;
}
__attribute__((noinline)) Found NarrowWide(Context* c, Path path, Slice* piece) { return Narrow<true>(c, path, piece); }

WK_INLINE Found Find(Context* c, Coll from, Path path, Slice* piece) {
  if (from.count != 1) {
    return from.count == 0 ? kNothing : kLong;
  }
  const Item& item = from.items[0];
  if (item.kind != kV2) {
    return kLong;
  }
  piece->segment = item.segment;
  const weir_v2_segment& s = c->index->segments[item.segment];
  uint32_t n = path.field();
  if (n != 0) {
    const uint32_t* seps = c->index->seps + s.first;
    n -= s.id == kMsh ? 1 : 0;
    if (item.level != kSegment || (s.id == kMsh && n <= 1)) {
      return kLong;
    }
    if (n > s.fields || seps[0] != s.begin + 3) {
      return kNothing;
    }
    piece->range = {seps[n - 1] + 1, seps[n]};
    piece->level = kFieldLevel;
  } else {
    if (item.level < kFieldLevel) {
      return kLong;
    }
    auto begin = static_cast<uint32_t>(item.p - c->input->bytes);
    piece->range = {begin, begin + item.n};
    piece->level = item.level;
  }
  if (piece->range.begin >= piece->range.end) {
    return kNothing;
  }
  if (s.id == kMsh && piece->range.begin < s.begin + 9) {
    return kLong;  // MSH-1 and MSH-2 as values, or a header so short that IsPresent looks at it in another way
  }
  return piece->range.size() <= kWindow ? Narrow<false>(c, path, piece) : NarrowWide(c, path, piece);
}

__attribute__((noinline)) Text DecodedWide(Context* c, const Slice& piece, bool composite) { return DecodedText(c, ItemOf(c, piece), composite); }

// Text of what Find found. `clean`: its bytes are their own JSON text and lie in the input.
WK_INLINE Text Decoded(Context* c, const Slice& piece, bool composite, bool* clean) {
  Range range = piece.range;
  *clean = false;
  if (range.size() > kWindow || (Window(c, WEIR_V2_MARK_SPECIAL, range.begin) & Below(range.size())) != 0) {
    return DecodedWide(c, piece, composite);
  }
  if (composite && piece.level != kSubcomponentLevel &&
      ((piece.level == kFieldLevel && !Part<false>(c, WEIR_V2_MARK_COMPONENT, 1, &range)) || !Part<false>(c, WEIR_V2_MARK_SUBCOMPONENT, 1, &range))) {
    return {nullptr, 0};
  }
  *clean = true;
  return Trim({c->input->bytes + range.begin, range.size()});
}

__attribute__((noinline)) Coll LongWay(Context* c, Coll segments, Path path) {
  Coll v = path.field() == 0 ? segments
           : path.occurrence() > Path::kFirst ? wk_repetition(c, segments, path.field(), path.occurrence() - Path::kFirst)
                                            : wk_field(c, segments, path.field());
  if (path.occurrence() == Path::kFirst && v.count > 1) {
    v.count = 1;
  }
  if (path.component() != 0) {
    v = wk_component(c, v, path.component());
  }
  if (path.subcomponent() != 0) {
    v = wk_component(c, v, path.subcomponent());
  }
  if (path.text()) {
    v = wk_text(c, v, path.composite());
  }
  if (path.first_of_all() && v.count > 1) {
    v.count = 1;
  }
  return v;
}

// `items` null: `count` names a segment, whose occurrences in the message are collected once per record.
WK_INLINE Coll Segments(Context* c, const Item* items, uint64_t count) {
  if (items != nullptr || count == 0) {
    return {items, count};
  }
  uint32_t memo = static_cast<uint32_t>(count >> 32);
  if (c->memo_set[memo] == 0) {
    Item message = {nullptr, c->index->segment_count, 0, kV2, kMessage, 0, {}};
    c->memo[memo] = wk_segments(c, {&message, 1}, static_cast<uint32_t>(count));
    c->memo_set[memo] = 1;
  }
  return c->memo[memo];
}

Coll Value(Context* c, const Item* items, uint64_t count, Path path) {
  Coll from = Segments(c, items, count);
  Slice slice;
  Found found = Find(c, from, path, &slice);
  if (found != kPiece) {
    return found == kNothing ? Empty() : LongWay(c, from, path);
  }
  if (!path.text()) {
    return OneItem(c, ItemOf(c, slice));
  }
  bool clean;
  Text text = Decoded(c, slice, path.composite(), &clean);
  if (text.n == 0) {
    return Empty();
  }
  Item item = StringItem(text);
  item.clean = clean ? kPlainText : kUnknownText;
  return OneItem(c, item);
}

uint64_t Count(Context* c, const Item* items, uint64_t count, Path path) {
  Coll from = Segments(c, items, count);
  Slice slice;
  Found found = Find(c, from, path, &slice);
  if (found != kPiece) {
    return found == kNothing ? 0 : LongWay(c, from, path).count;
  }
  bool clean;
  return !path.text() || Decoded(c, slice, path.composite(), &clean).n != 0 ? 1 : 0;
}

bool Primitive(Context* c, const Item* items, uint64_t count, Path path, const uint8_t* lead, Writing how) {
  Coll from = Segments(c, items, count);
  Slice slice;
  Found found = Find(c, from, path, &slice);
  if (found != kPiece) {
    return found == kLong && WritePrimitive(c, LongWay(c, from, path), lead, how);
  }
  bool clean;
  Text text = Decoded(c, slice, path.composite(), &clean);
  return text.n != 0 && ((clean && WriteClean(c, text, lead, how)) || WriteText(c, text, true, lead, how));
}

// The common case once more, for plain text within a window in the only segment and with the path's shape known: everything
// else, rarer in messages than in the standard, is kLong and goes the way above.

// The 64 bytes from an offset, and parts of them as [from, to).
class Marks {
 public:
  __attribute__((always_inline)) Marks(const Context* c, uint32_t at) : index_(c->index), word_(at >> 6), shift_(at & 63) {}
  __attribute__((always_inline)) uint64_t In(uint32_t kind, uint32_t from, uint32_t to) const {
    const uint64_t* word = index_->marks[kind] + word_;
    uint64_t marks = word[0] >> shift_ | word[1] << 1 << (63 - shift_);
    return marks & Below(to) & ~uint64_t{0} << from;
  }
  // Narrows [from, to) to its nth part; false when that is empty.
  __attribute__((always_inline)) bool Cut(uint32_t kind, uint32_t n, uint32_t* from, uint32_t* to) const {
    uint64_t marks = In(kind, *from, *to);
    for (; --n != 0; marks &= marks - 1) {
      if (marks == 0) {
        return false;
      }
      *from = static_cast<uint32_t>(__builtin_ctzll(marks)) + 1;
    }
    *to = marks != 0 ? static_cast<uint32_t>(__builtin_ctzll(marks)) : *to;
    return *from < *to;
  }

 private:
  const weir_v2_index* index_;
  uint32_t word_, shift_;
};

template <bool kInField, bool kInComponent>
WK_INLINE Found Quick(const Context* c, const Item* items, uint64_t count, Path path, bool text, Slice* piece) {
  if (items == nullptr && count != 0) {
    uint64_t memo = count >> 32;
    if (c->memo_set[memo] == 0) {
      return kLong;
    }
    items = c->memo[memo].items;
    count = c->memo[memo].count;
  }
  if (count != 1) {
    return count == 0 ? kNothing : kLong;
  }
  if (items->kind != kV2) {
    return kLong;
  }
  piece->segment = items->segment;
  uint32_t begin, size;
  if constexpr (kInField) {
    const weir_v2_segment& s = c->index->segments[items->segment];
    const uint32_t* seps = c->index->seps + s.first;
    uint32_t n = path.field() - (s.id == kMsh ? 1 : 0);
    if (items->level != kSegment) {
      return kLong;
    }
    if (n > s.fields || seps[0] != s.begin + 3) {
      return kNothing;
    }
    if (s.id == kMsh && (n <= 1 || seps[n - 1] < s.begin + 8)) {
      return kLong;  // as in Find
    }
    begin = seps[n - 1] + 1;
    size = seps[n] - begin;
    piece->level = kFieldLevel;
  } else {
    begin = static_cast<uint32_t>(items->p - c->input->bytes);
    size = items->n;
    piece->level = items->level;
    if (piece->level < kFieldLevel || (kInComponent && piece->level == kSubcomponentLevel)) {
      return kLong;
    }
    if (c->index->segments[items->segment].id == kMsh) {
      return kLong;
    }
  }
  if (static_cast<int32_t>(size) <= 0) {
    return kNothing;
  }
  bool cut = size > kWindow;
  Marks marks(c, begin);
  uint32_t from = 0, to = cut ? kWindow : size;
  Found none = cut ? kLong : kNothing;
  if constexpr (kInField) {
    if (path.occurrence() > Path::kFirst) {
      if (!marks.Cut(WEIR_V2_MARK_REPETITION, path.occurrence() - Path::kFirst, &from, &to)) {
        return none;
      }
    } else if (uint64_t repeats = marks.In(WEIR_V2_MARK_REPETITION, 0, to); repeats != 0) {
      to = static_cast<uint32_t>(__builtin_ctzll(repeats));
      if (to == 0 || path.occurrence() != Path::kFirst) {
        return kLong;
      }
      none = kLong;  // as in Narrow
    } else if (cut && path.occurrence() != Path::kFirst) {
      return kLong;
    }
  }
  if constexpr (kInComponent) {
    bool field = kInField || piece->level == kFieldLevel;
    piece->level = field ? kComponentLevel : kSubcomponentLevel;
    if (!marks.Cut(field ? WEIR_V2_MARK_COMPONENT : WEIR_V2_MARK_SUBCOMPONENT, path.component(), &from, &to)) {
      return none;
    }
    if (path.subcomponent() != 0) {
      if (piece->level == kSubcomponentLevel) {
        return kLong;
      }
      piece->level = kSubcomponentLevel;
      if (!marks.Cut(WEIR_V2_MARK_SUBCOMPONENT, path.subcomponent(), &from, &to)) {
        return none;
      }
    }
  }
  if (cut && to == kWindow) {
    return kLong;  // it may go on
  }
  const uint8_t* bytes = c->input->bytes + begin;
  const weir_v2_delims& d = c->index->delims;
  uint8_t first = bytes[from];
  if (first <= ' ' || first == '"' || first == d.subcomponent || first == d.component) {
    return kLong;
  }
  if (text) {
    if (marks.In(WEIR_V2_MARK_SPECIAL, from, to) != 0) {
      return kLong;
    }
    if (path.composite()) {  // the first byte is no delimiter, so that the first part is not empty
      if (piece->level == kFieldLevel) {
        marks.Cut(WEIR_V2_MARK_COMPONENT, 1, &from, &to);
      }
      if (piece->level != kSubcomponentLevel) {
        marks.Cut(WEIR_V2_MARK_SUBCOMPONENT, 1, &from, &to);
      }
    }
    while (bytes[to - 1] == ' ') {  // a tab is special
      --to;
    }
  }
  piece->range = {begin + from, begin + to};
  return kPiece;
}

WK_INLINE Text TextOf(const Context* c, const Slice& piece) { return {c->input->bytes + piece.range.begin, piece.range.size()}; }

template <bool kInField, bool kInComponent>
WK_INLINE Coll QuickValue(Context* c, const Item* items, uint64_t count, uint64_t bits) {
  Path path = {bits};
  Slice piece;
  Found found = Quick<kInField, kInComponent>(c, items, count, path, path.text(), &piece);
  if (found != kPiece) {
    return found == kNothing ? Empty() : Value(c, items, count, path);
  }
  Item item = ItemOf(c, piece);
  if (path.text()) {
    item = StringItem(TextOf(c, piece));
    item.clean = kPlainText;
  }
  return OneItem(c, item);
}

template <bool kInField, bool kInComponent>
WK_INLINE uint64_t QuickCount(Context* c, const Item* items, uint64_t count, uint64_t bits) {
  Slice piece;
  Found found = Quick<kInField, kInComponent>(c, items, count, {bits}, Path{bits}.text(), &piece);
  return found == kLong ? Count(c, items, count, {bits}) : found == kPiece ? 1 : 0;
}

template <bool kInField, bool kInComponent, int kKind = -1>
WK_INLINE bool QuickPrimitive(Context* c, const Item* items, uint64_t count, uint64_t bits, const uint8_t* lead, uint64_t how_bits) {
  Writing how = {how_bits};
  if constexpr (kKind >= 0) {
    how.bits = (how_bits & ~(uint64_t{15} << Writing::kKindShift)) | uint64_t{kKind} << Writing::kKindShift;
  }
  Slice piece;
  Found found = Quick<kInField, kInComponent>(c, items, count, {bits}, true, &piece);
  if (found != kPiece) {
    return found == kLong && Primitive(c, items, count, {bits}, lead, how);
  }
  Text text = TextOf(c, piece);
  return WriteClean(c, text, lead, how) || WriteText(c, text, true, lead, how);
}

}  // namespace

extern "C" {

#define WK_SHAPES(name, ...)                                                                                                              \
  Coll wk_path##name(Context* c, const Item* items, uint64_t count, uint64_t path) { return QuickValue<__VA_ARGS__>(c, items, count, path); } \
  uint64_t wk_path_count##name(Context* c, const Item* items, uint64_t count, uint64_t path) {                                            \
    return QuickCount<__VA_ARGS__>(c, items, count, path);                                                                                \
  }                                                                                                                                       \
  bool wk_path_primitive##name(Context* c, const Item* items, uint64_t count, uint64_t path, const uint8_t* lead, uint64_t how) {           \
    return QuickPrimitive<__VA_ARGS__>(c, items, count, path, lead, how);                                                                 \
  }                                                                                                                                       \
  bool wk_path_text##name(Context* c, const Item* items, uint64_t count, uint64_t path, const uint8_t* lead, uint64_t how) {                \
    return QuickPrimitive<__VA_ARGS__, kText>(c, items, count, path, lead, how);                                                          \
  }                                                                                                                                       \
  bool wk_path_code##name(Context* c, const Item* items, uint64_t count, uint64_t path, const uint8_t* lead, uint64_t how) {                \
    return QuickPrimitive<__VA_ARGS__, kCode>(c, items, count, path, lead, how);                                                          \
  }
WK_SHAPES(_value, false, false)
WK_SHAPES(_field, true, false)
WK_SHAPES(_field_component, true, true)
WK_SHAPES(_value_component, false, true)
#undef WK_SHAPES

// Whether the field may hold `""`: something is written in it.
bool wk_field_written(Context* c, const Item* items, uint64_t count, uint32_t n) {
  Coll segments = Segments(c, items, count);
  for (uint64_t i = 0; i < segments.count; ++i) {
    Text field;
    if (segments.items[i].kind == kV2 && WholeField(c, segments.items[i].segment, n, &field) && field.n != 0) {
      return true;
    }
  }
  return false;
}

}  // extern "C"

}  // namespace weir::kernel
