// A v2 path in one step: the text of a (sub)component of a field's occurrence, found by the index's marks. What is not the
// common case (several segments or occurrences, MSH-1 and MSH-2, null, escapes) is left to the operations of v2.cpp, one by one.
#include "runtime/kernel/rt.h"

namespace weir::kernel {
namespace {

constexpr uint32_t kMsh = WEIR_V2_ID('M', 'S', 'H');

// First mark in [from, end), or `end`.
WK_INLINE uint32_t NextMark(const Context* c, uint32_t kind, uint32_t from, uint32_t end) {
  if (from >= end) {
    return end;
  }
  const uint64_t* word = c->index->marks + uint64_t{from >> 6} * WEIR_V2_MARKS + kind;
  uint64_t bits = *word >> (from & 63);
  if (bits != 0) {
    uint32_t at = from + static_cast<uint32_t>(__builtin_ctzll(bits));
    return at < end ? at : end;
  }
  for (uint32_t base = (from | 63) + 1; base < end; base += 64) {
    word += WEIR_V2_MARKS;
    if (*word != 0) {
      uint32_t at = base + static_cast<uint32_t>(__builtin_ctzll(*word));
      return at < end ? at : end;
    }
  }
  return end;
}

struct Range {
  uint32_t begin, end;
};

// The nth part between marks; false when there are fewer.
WK_INLINE bool Part(const Context* c, uint32_t kind, uint32_t n, Range* range) {
  while (--n != 0) {
    range->begin = NextMark(c, kind, range->begin, range->end) + 1;
    if (range->begin > range->end) {
      return false;
    }
  }
  range->end = NextMark(c, kind, range->begin, range->end);
  return true;
}

enum Found : uint32_t { kNothing, kPiece, kLong };  // kLong: take the long way

// Narrows `range` to the nth part of what is at `level`, as ComponentOf does.
WK_INLINE bool Descend(const Context* c, uint32_t n, Range* range, uint8_t* level) {
  if (*level == kSubcomponentLevel) {
    return n == 1;
  }
  bool field = *level == kFieldLevel;
  *level = field ? kComponentLevel : kSubcomponentLevel;
  return Part(c, field ? WEIR_V2_MARK_COMPONENT : WEIR_V2_MARK_SUBCOMPONENT, n, range);
}

// The one occurrence of the segment's field that the path may mean; kLong when it is not that easy to tell.
WK_INLINE Found Occurrence(Context* c, const Item& segment, Path path, Range* range, bool* only) {
  const weir_v2_segment& s = c->index->segments[segment.segment];
  const uint32_t* seps = c->index->seps + s.first;
  uint32_t n = path.field();
  if (s.id == kMsh) {
    if (n <= 2) {
      return kLong;
    }
    --n;
  }
  if (n == 0 || n > s.fields || seps[0] != s.begin + 3) {
    return kNothing;
  }
  *range = {seps[n - 1] + 1, seps[n]};
  if (range->begin >= range->end) {
    return kNothing;
  }
  if (s.id == kMsh && range->end <= s.begin + 9) {
    return kLong;  // a header this short: see IsPresent
  }
  if (path.occurrence() > Path::kFirst) {
    return Part(c, WEIR_V2_MARK_REPETITION, path.occurrence() - Path::kFirst, range) ? kPiece : kNothing;
  }
  uint32_t end = NextMark(c, WEIR_V2_MARK_REPETITION, range->begin, range->end);
  *only = end == range->end;
  range->end = end;
  return *only || path.occurrence() == Path::kFirst ? kPiece : kLong;
}

WK_INLINE Found Find(Context* c, Coll from, Path path, Item* out) {
  if (from.count != 1) {
    return from.count == 0 ? kNothing : kLong;
  }
  const Item& item = from.items[0];
  Range range;
  uint8_t level = kFieldLevel;
  bool only = true;
  if (item.kind != kV2 || (path.field() != 0 ? item.level != kSegment : item.level < kFieldLevel)) {
    return kLong;
  }
  if (path.field() == 0) {
    auto begin = static_cast<uint32_t>(item.p - c->input->bytes);
    range = {begin, begin + item.n};
    level = item.level;
    const weir_v2_segment& s = c->index->segments[item.segment];
    if (s.id == kMsh && begin <= s.begin + 9) {
      return kLong;  // MSH-1 and MSH-2
    }
  } else if (Found found = Occurrence(c, item, path, &range, &only); found != kPiece) {
    return found;
  }
  // A piece that is there makes the field it is in be there; one that is not says nothing about a later occurrence.
  Found none = only ? kNothing : kLong;
  if ((path.component() != 0 && !Descend(c, path.component(), &range, &level)) ||
      (path.subcomponent() != 0 && !Descend(c, path.subcomponent(), &range, &level)) || range.begin >= range.end) {
    return none;
  }
  const uint8_t* p = c->input->bytes + range.begin;
  *out = {p, range.end - range.begin, item.segment, kV2, level, 0, {}};
  const weir_v2_delims& d = c->index->delims;
  uint8_t first = *p;
  bool plain = first > ' ' && first != '"' && (level != kFieldLevel || first != d.component) &&
               (level == kSubcomponentLevel || first != d.subcomponent);
  return plain || IsPresent(c, *out) ? kPiece : none;
}

// Text of what Find found. `clean`: its bytes are their own JSON text and lie in the input.
WK_INLINE Text Decoded(Context* c, const Item& piece, bool composite, bool* clean) {
  auto begin = static_cast<uint32_t>(piece.p - c->input->bytes);
  uint32_t end = begin + piece.n;
  if (composite && piece.level != kSubcomponentLevel) {
    uint32_t sub = NextMark(c, WEIR_V2_MARK_SUBCOMPONENT, begin, end);
    end = piece.level == kFieldLevel ? NextMark(c, WEIR_V2_MARK_COMPONENT, begin, sub) : sub;
  }
  *clean = NextMark(c, WEIR_V2_MARK_SPECIAL, begin, end) == end;
  return *clean ? Trim({piece.p, end - begin}) : DecodedText(c, piece, composite);
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

}  // namespace

Coll PathText(Context* c, Coll segments, Path path, Text* text, bool* clean) {
  Item piece;
  Found found = Find(c, segments, path, &piece);
  if (found == kLong) {
    return LongWay(c, segments, path);
  }
  *text = found == kPiece ? Decoded(c, piece, path.composite(), clean) : Text{nullptr, 0};
  return {nullptr, text->n != 0 ? uint64_t{1} : 0};
}

Coll PathSegments(Context* c, const Item* items, uint64_t count) { return Segments(c, items, count); }

extern "C" {

Coll wk_path(Context* c, const Item* items, uint64_t count, uint64_t spec) {
  Path path = {spec};
  Coll segments = Segments(c, items, count);
  Item piece;
  Found found = Find(c, segments, path, &piece);
  if (found != kPiece) {
    return found == kNothing ? Empty() : LongWay(c, segments, path);
  }
  if (!path.text()) {
    return OneItem(c, piece);
  }
  bool clean;
  Text text = Decoded(c, piece, path.composite(), &clean);
  return text.n != 0 ? OneString(c, text) : Empty();
}

uint64_t wk_path_count(Context* c, const Item* items, uint64_t count, uint64_t spec) {
  Path path = {spec};
  Coll segments = Segments(c, items, count);
  Item piece;
  Found found = Find(c, segments, path, &piece);
  if (found == kLong) {
    return LongWay(c, segments, path).count;
  }
  bool clean;
  return found == kPiece && (!path.text() || Decoded(c, piece, path.composite(), &clean).n != 0) ? 1 : 0;
}

Coll wk_segments_of(Context* c, uint64_t count) { return Segments(c, nullptr, count); }

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
