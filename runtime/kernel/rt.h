// What generated kernels and their helpers share: layout of values and of the per-record context. Freestanding: helpers
// are compiled to bitcode and linked into every kernel, so nothing here may need libc, and lower/ builds the same
// structures (names in lower/gen.h). Independent of the interpreter on purpose: the two check each other.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "runtime/abi/weir_kernel.h"
#include "runtime/v2/index.h"

struct weir_fhir_tape;  // runtime/fhir/tape.h

namespace weir::kernel {

enum Kind : uint8_t { kString = 0, kBoolean = 1, kInteger = 2, kV2 = 3 };
enum Level : uint8_t { kMessage = 0, kGroup = 1, kSegment = 2, kFieldLevel = 3, kComponentLevel = 4, kSubcomponentLevel = 5 };

enum Clean : uint8_t { kUnknownText = 0, kPlainText = 1, kKeyText = 2 };

// String and v2: bytes [p, p+n); v2 also its segment's ordinal. Boolean and Integer: n or p hold the number.
struct Item {
  const uint8_t* p;
  uint32_t n;
  uint32_t segment;
  uint8_t kind;
  uint8_t level;
  uint8_t clean;  // kPlainText: a String that is its own JSON text, kConstantSlack behind it;
                  // kKeyText: the text of a Key
  uint8_t unused[5];
};

// A resource id in scratch: its text, and what it was made of.
struct Key {
  uint8_t text[32];
  uint8_t id[16], own[16];
  const Key* parent;  // null: it stands alone
  uint32_t type;      // ordinal of its resource type
  uint32_t named;     // the output's keys have it
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
struct Constant {  // laid out as Text
  const uint8_t* p;
  uint32_t n;
  uint32_t clean;  // Clean
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
  Text from;
  Constant value;
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

// A path from segments (or, without a field, from what a field or component holds) to text, in one number that generated code holds as a constant.
struct Path {
  uint64_t bits;
  static constexpr uint32_t kAll = 0, kFirst = 1;  // occurrences: every one there, the first there, or kFirst + n: the nth written
  static constexpr uint32_t kMostField = 0xFFFF, kMostPart = 0xFF, kMostOccurrence = 0xFFFE;
  static constexpr Path Of(uint32_t field, uint32_t occurrence, uint32_t component, uint32_t subcomponent, bool text, bool composite,
                           bool first_of_all) {
    return {uint64_t{field} | uint64_t{component} << 16 | uint64_t{subcomponent} << 24 | uint64_t{occurrence} << 32 | uint64_t{text} << 48 |
            uint64_t{composite} << 49 | uint64_t{first_of_all} << 50};
  }
  constexpr uint32_t field() const { return static_cast<uint32_t>(bits & 0xFFFF); }
  constexpr uint32_t component() const { return static_cast<uint32_t>(bits >> 16 & 0xFF); }
  constexpr uint32_t subcomponent() const { return static_cast<uint32_t>(bits >> 24 & 0xFF); }
  constexpr uint32_t occurrence() const { return static_cast<uint32_t>(bits >> 32 & 0xFFFF); }
  constexpr bool text() const { return (bits >> 48 & 1) != 0; }
  constexpr bool composite() const { return (bits >> 49 & 1) != 0; }
  constexpr bool first_of_all() const { return (bits >> 50 & 1) != 0; }
};

// How a value is written, in one number: its FHIR type, what to do when it does not fit, and what stands around it.
struct Writing {
  uint64_t bits;
  static constexpr uint64_t kMostLead = (uint64_t{1} << 20) - 1, kMostTail = 63;
  static constexpr uint32_t kKindShift = 26;
  static constexpr Writing Of(uint64_t lead_size, uint64_t tail_size, bool comma, uint32_t kind, bool degrade, uint32_t site) {
    return {lead_size | tail_size << 20 | uint64_t{kind} << kKindShift | uint64_t{degrade} << 30 | uint64_t{comma} << 31 | uint64_t{site} << 32};
  }
  constexpr uint64_t lead_size() const { return bits & kMostLead; }
  constexpr uint64_t tail_size() const { return bits >> 20 & kMostTail; }  // its bytes follow the lead's
  constexpr uint32_t kind() const { return static_cast<uint32_t>(bits >> kKindShift & 15); }
  constexpr bool degrade() const { return (bits >> 30 & 1) != 0; }
  constexpr bool comma() const { return (bits >> 31 & 1) != 0; }  // the lead starts with one, which the first in a container leaves out
  constexpr uint32_t site() const { return static_cast<uint32_t>(bits >> 32); }
};
constexpr uint32_t kMostKeyParts = 64;
constexpr uint32_t kConstantSlack = 33;  // readable bytes behind every constant that helpers copy in wide steps

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
  const weir_fhir_tape* tape;  // of an expression over a FHIR resource
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
// Copies in steps of 32, at least one: reads and writes up to 32 bytes more.
constexpr uint32_t kStep = 32;
WK_INLINE void CopyWide(uint8_t* to, const uint8_t* from, uint64_t n) {
  __builtin_memcpy(to, from, kStep);
  for (uint64_t i = kStep; i < n; i += kStep) {
    __builtin_memcpy(to + i, from + i, kStep);
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
WK_INLINE Item StringItem(Text t) { return {t.p, t.n, 0, kString, 0, 0, {}}; }
WK_INLINE Coll OneString(Context* c, Text t) { return OneItem(c, StringItem(t)); }
WK_INLINE Coll OneConstant(Context* c, const Constant& t) { return OneItem(c, {t.p, t.n, 0, kString, 0, static_cast<uint8_t>(t.clean), {}}); }
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
// v2.cpp
extern "C" {
Coll wk_segments(Context* c, Coll in, uint32_t id);
Coll wk_field(Context* c, Coll in, uint32_t n);
Coll wk_repetition(Context* c, Coll in, uint32_t n, uint32_t repetition);
Coll wk_component(Context* c, Coll in, uint32_t n);
Coll wk_text(Context* c, Coll in, bool composite);
}
// emit.cpp: whether the text may stand in FHIR's uri, id, oid, uuid
bool Allowed(Text t, uint32_t kind);
// value.cpp: one String or none; more than one, or another type, fails the record
bool SingleString(Context* c, Coll in, Text* out);
bool ItemsEqual(const Item& a, const Item& b);
bool TextsEquivalent(Text a, Text b);

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

}  // namespace weir::kernel
