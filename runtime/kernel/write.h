// Writing JSON to the output: what the helpers of emit.cpp and path.cpp share.
#pragma once

#include "runtime/kernel/rt.h"

namespace weir::kernel {

// Room for `n` more bytes; without it nothing is written and the call will be answered with OUTPUT_FULL.
WK_INLINE bool Room(Context* c, uint64_t n) {
  if (static_cast<uint64_t>(c->end - c->cur) < n) {
    c->output_full = 1;
    return false;
  }
  return true;
}
WK_INLINE void Put(Context* c, uint8_t b) { *c->cur++ = b; }
WK_INLINE void PutRaw(Context* c, Text t) {
  Copy(c->cur, t.p, t.n);
  c->cur += t.n;
}
// Room must have been asked for kStep bytes more.
WK_INLINE void PutWide(Context* c, const uint8_t* p, uint64_t n) {
  CopyWide(c->cur, p, n);
  c->cur += n;
}
// A constant; the comma it may start with is left out by the first in its container. The bytes before the cursor are a body's or a tag's.
WK_INLINE void PutLead(Context* c, const uint8_t* p, uint64_t n, bool comma) {
  uint64_t skip = comma && (c->cur[-1] == '{' || c->cur[-1] == '[') ? 1 : 0;
  PutWide(c, p + skip, n - skip);
}
WK_INLINE void Bound(Context* c) {
  if (static_cast<uint64_t>(c->cur - c->body) > kMaxOutput && c->failure == kNone) {
    c->failure = kLimit;
  }
}

WK_INLINE void PutTail(Context* c, const uint8_t* lead, Writing how) {
  if (how.tail_size() != 0 && Room(c, how.tail_size() + kStep)) {
    PutWide(c, lead + how.lead_size(), how.tail_size());
  }
}

// Text that is its own JSON text, with kStep readable bytes behind it. Room must have been asked for it, two quotes and kStep.
WK_INLINE bool PutClean(Context* c, Text t, uint32_t kind) {
  bool plain = kind == kText;
  if (kind == kCode) {  // clean text has no other blank
    plain = true;
    for (uint32_t i = 0; i < t.n; i += 8) {
      uint64_t word, blank;
      __builtin_memcpy(&word, t.p + i, 8);
      word = t.n - i < 8 ? word | ~uint64_t{0} << (8 * (t.n - i)) : word;
      blank = word ^ 0x2020202020202020;
      plain = plain && ((blank - 0x0101010101010101) & ~blank & 0x8080808080808080) == 0;
    }
  } else if (kind == kUri || kind == kId) {
    plain = Allowed(t, kind);
  }
  if (!plain) {
    return false;
  }
  Put(c, '"');
  PutWide(c, t.p, t.n);
  Put(c, '"');
  return true;
}

// Lead, clean text and tail at once; false when the text is not clean for its type, and then nothing is written.
WK_INLINE bool WriteClean(Context* c, Text t, const uint8_t* lead, Writing how) {
  if (!Room(c, how.lead_size() + uint64_t{t.n} + 2 + how.tail_size() + kStep)) {
    return true;
  }
  uint8_t* mark = c->cur;
  if (how.lead_size() != 0) {
    PutLead(c, lead, how.lead_size(), how.comma());
  }
  if (!PutClean(c, t, how.kind())) {
    c->cur = mark;
    return false;
  }
  if (how.tail_size() != 0) {
    PutWide(c, lead + how.lead_size(), how.tail_size());
  }
  Bound(c);
  return true;
}

// emit.cpp
bool WriteText(Context* c, Text t, bool fits_kind, const uint8_t* lead, Writing how);
bool WritePrimitive(Context* c, Coll in, const uint8_t* lead, Writing how);

}  // namespace weir::kernel
