// What generated kernels and their helpers share: layout of values and of the per-record context. Freestanding: helpers
// are compiled to bitcode and linked into every kernel, so nothing here may need libc, and lower/ builds the same
// structures (names in lower/gen.h). Independent of the interpreter on purpose: the two check each other.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "runtime/abi/weir_kernel.h"
#include "runtime/v2/index.h"

namespace weir::kernel {

enum Kind : uint8_t { kString = 0, kBoolean = 1, kInteger = 2, kV2 = 3 };
enum Level : uint8_t { kMessage = 0, kGroup = 1, kSegment = 2, kFieldLevel = 3, kComponentLevel = 4, kSubcomponentLevel = 5 };

// String and v2: bytes [p, p+n); v2 also its segment's ordinal. Boolean and Integer: n or p hold the number.
struct Item {
  const uint8_t* p;
  uint32_t n;
  uint32_t segment;
  uint8_t kind;
  uint8_t level;
  uint8_t unused[6];
};

// Every value is an ordered collection; two registers.
struct Coll {
  const Item* items;
  uint64_t count;
};

struct Text {
  const uint8_t* p;
  uint32_t n;
};

struct Zone {
  const struct Transition* transitions;
  uint32_t count;
  uint32_t is_utc;
};
struct Transition {
  int64_t from;
  int64_t offset;
};

struct Row {  // of a table's column, sorted by `from`
  Text from, value;
};

// A message structure, for `groups`: its segment places in order, each with the groups around it, outermost first.
constexpr uint32_t kMaxGroupDepth = 8;
struct GroupPlace {
  uint32_t segment, repeats, depth;
  const uint32_t* path;  // into GroupGrammar::groups
};
struct GroupInfo {
  uint32_t name, repeats;
};
struct GroupGrammar {
  Text name;
  const Text* messages;  // "ADT^A17"
  uint64_t message_count;
  const GroupPlace* places;
  uint64_t place_count;
  const GroupInfo* groups;
};

struct FeedRules {
  const Text* accept;
  const Text* processing;
  const Text* versions;
  uint64_t accept_count, processing_count, version_count;
};
struct Excluded {
  uint32_t segment, field;
};

enum Failure : uint32_t { kNone = 0, kError = 1, kRejected = 2, kLimit = 3 };

// One per call, on the kernel's stack. `memo` caches closed expressions that occur more than once.
struct Context {
  const weir_input* input;
  const weir_v2_index* index;
  const weir_snapshot* snapshot;
  weir_output* output;
  uint8_t *cur, *end, *body;  // output cursor, its bound, start of the body being written
  uint8_t *heap, *heap_end;
  const Zone* zone;
  uint32_t failure, site;
  uint32_t output_full, scratch_full;
  uint32_t error_site, limit_site;
  uint32_t counters[WEIR_COUNTERS];
  Coll* memo;
  uint8_t* memo_set;
  const GroupGrammar* grammar;  // of this message, once a group was asked for
  const struct GroupInstance* groups;
  const int32_t* group_of;  // by segment: its innermost instance, or -1
  uint32_t group_count;
};

constexpr uint32_t kMaxOutput = 16u << 20;  // bytes of one contribution, as the interpreter's
constexpr uint32_t kLeastBuffer = 256;      // smaller buffers are answered with OUTPUT_FULL or SCRATCH_FULL at once

enum PrimitiveKind : uint32_t {
  kText, kCode, kUri, kId, kOid, kUuid, kBool, kInt, kPositiveInt, kUnsignedInt, kDecimal, kDate, kDateTime, kInstant, kTime
};

// ---- shared by the helpers' files ----
#define WK_INLINE static inline __attribute__((always_inline))

WK_INLINE bool Blank(uint8_t c) { return c == ' ' || c == '\t'; }
WK_INLINE bool Digit(uint8_t c) { return c >= '0' && c <= '9'; }
WK_INLINE Text Trim(Text t) {
  while (t.n != 0 && Blank(t.p[0])) {
    ++t.p;
    --t.n;
  }
  while (t.n != 0 && Blank(t.p[t.n - 1])) {
    --t.n;
  }
  return t;
}
WK_INLINE bool Same(Text a, Text b) {
  if (a.n != b.n) {
    return false;
  }
  for (uint32_t i = 0; i < a.n; ++i) {
    if (a.p[i] != b.p[i]) {
      return false;
    }
  }
  return true;
}
WK_INLINE int Order(Text a, Text b) {
  uint32_t n = a.n < b.n ? a.n : b.n;
  for (uint32_t i = 0; i < n; ++i) {
    if (a.p[i] != b.p[i]) {
      return a.p[i] < b.p[i] ? -1 : 1;
    }
  }
  return a.n < b.n ? -1 : a.n > b.n ? 1 : 0;
}
template <uint32_t N>
WK_INLINE bool Is(Text t, const char (&literal)[N]) {
  if (t.n != N - 1) {
    return false;
  }
  for (uint32_t i = 0; i < N - 1; ++i) {
    if (t.p[i] != static_cast<uint8_t>(literal[i])) {
      return false;
    }
  }
  return true;
}
WK_INLINE void Fail(Context* c) {
  if (c->failure == kNone) {
    c->failure = kError;
  }
}
WK_INLINE void Copy(uint8_t* to, const uint8_t* from, uint64_t n) {
  for (uint64_t i = 0; i < n; ++i) {
    to[i] = from[i];
  }
}
// Null when scratch is exhausted: the call will be answered with SCRATCH_FULL, every caller yields empty meanwhile.
WK_INLINE uint8_t* NewBytes(Context* c, uint64_t n) {
  n = (n + 7) & ~uint64_t{7};
  if (static_cast<uint64_t>(c->heap_end - c->heap) < n) {
    c->scratch_full = 1;
    return nullptr;
  }
  uint8_t* p = c->heap;
  c->heap += n;
  return p;
}
WK_INLINE Item* NewItems(Context* c, uint64_t n) { return reinterpret_cast<Item*>(NewBytes(c, n * sizeof(Item))); }
WK_INLINE Coll Empty() { return {nullptr, 0}; }
WK_INLINE Coll OneItem(Context* c, Item item) {
  Item* p = NewItems(c, 1);
  if (p == nullptr) {
    return Empty();
  }
  *p = item;
  return {p, 1};
}
WK_INLINE Item StringItem(Text t) { return {t.p, t.n, 0, kString, 0, {}}; }
WK_INLINE Coll OneString(Context* c, Text t) { return OneItem(c, StringItem(t)); }
WK_INLINE Text TextOf(const Item& item) { return {item.p, item.n}; }

// groups.cpp
bool InGroup(Context* c, uint32_t segment, const Item& group);
// v2.cpp
Item ComponentOf(Context* c, const Item& item, uint32_t n);
bool IsPresent(Context* c, const Item& item);
Text DecodedText(Context* c, const Item& item, bool composite);
Text Piece(Context* c, const Item& item, uint32_t n);
Text FieldText(Context* c, uint32_t segment, uint32_t field, uint32_t component);
Text EventOf(Context* c);
bool WholeField(Context* c, uint32_t segment, uint32_t field, Text* out);
// emit.cpp: whether the text may stand in FHIR's uri, id, oid, uuid
bool Allowed(Text t, uint32_t kind);
// value.cpp: one String or none; more than one, or another type, fails the record
bool SingleString(Context* c, Coll in, Text* out);
bool ItemsEqual(const Item& a, const Item& b);

// temporal.cpp
struct Temporal {
  int32_t year, month, day, hour, minute, second, nanos, offset;
  uint8_t precision, digits, has_offset, zulu, minus_zero, is_time;
};
enum Precision : uint8_t { kYear, kMonth, kDay, kHour, kMinute, kSecond, kFraction };
bool ParseHl7(Text text, Temporal* t);
bool ParseIso(Text text, Temporal* t);
bool ParseHl7Time(Text text, Temporal* t);
bool ParseIsoTime(Text text, Temporal* t);
int64_t LocalSeconds(const Temporal& t);
int32_t OffsetAt(const Zone* zone, int64_t local);
uint32_t Format(const Temporal& t, uint8_t* out);  // at most 40 bytes

// siphash.cpp
struct Sip {
  uint64_t v0, v1, v2, v3, tail, size;
};
void SipStart(Sip* s, const uint8_t* key);
void SipAdd(Sip* s, const uint8_t* p, uint32_t n);
void SipAddSize(Sip* s, uint32_t n);
void SipEnd(Sip* s, uint8_t out[16]);

}  // namespace weir::kernel
