/* The offset index of one HL7 v2 message: what a single pass over the bytes knows. Plain C layout, because generated
 * kernels read it directly; C++ code uses runtime/v2/view.h. All offsets are bytes from `bytes`; nothing is owned. */
#ifndef WEIR_V2_INDEX_H_
#define WEIR_V2_INDEX_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* MSH-1 and MSH-2. A delimiter that MSH-2 leaves out equals `field`, which no field holds, so it splits nothing.
 * MSH-2's fifth character (truncation, v2.7) is not a delimiter in data. */
typedef struct weir_v2_delims {
  uint8_t field, component, repetition, escape, subcomponent;
} weir_v2_delims;

enum { /* weir_v2_index.flags */
  WEIR_V2_ASCII = 1,           /* no byte above 0x7F: every charset decodes to itself */
  WEIR_V2_HAS_ESCAPE = 2,      /* the escape character occurs after MSH-2 */
  WEIR_V2_MIXED_ENDS = 4,      /* LF or CRLF beside or instead of CR */
  WEIR_V2_CONTINUED_LINE = 8,  /* a physical line without a segment id was joined to the one before */
  WEIR_V2_BAD_SEGMENT_ID = 16, /* a line whose id is not three characters: kept as a segment with id 0 */
  WEIR_V2_LOWER_CASE_ID = 32,  /* a segment id was written in lower case and read as upper case */
  WEIR_V2_UTF8 = 64            /* well-formed UTF-8; ASCII is too */
};

/* Marks: bit i of a kind is byte i of the message, low bit first; 8 readable bytes of zeros follow. So the marks of some 56 bytes
 * from any offset are one load and one shift. A delimiter that equals `field` marks nothing.
 * SPECIAL: what makes a piece's text differ from its bytes, or JSON's from both: a quote (`""` is null), a backslash, a control, the
 * escape character, a blank at the edge of a piece (beside a delimiter, a line end or the message's), a blank beside a blank. */
enum { WEIR_V2_MARK_COMPONENT = 0, WEIR_V2_MARK_REPETITION = 1, WEIR_V2_MARK_SUBCOMPONENT = 2, WEIR_V2_MARK_SPECIAL = 3, WEIR_V2_MARKS = 4 };

#define WEIR_V2_ID(a, b, c) ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16)

/* Field k (from 1) of a segment other than MSH is the bytes after seps[first + k - 1] up to seps[first + k], for
 * k <= fields. In MSH, FHS and BHS field 1 is the separator itself, so field k >= 2 lies between seps[first + k - 2]
 * and seps[first + k - 1]. seps[first + fields] is the segment's end, before its terminator and trailing blanks; one more
 * can be read. */
typedef struct weir_v2_segment {
  uint32_t id;     /* WEIR_V2_ID of the upper-case id; 0: not three characters */
  uint32_t begin;  /* of the id */
  uint32_t end;
  uint32_t first;
  uint32_t fields; /* separators in the segment */
} weir_v2_segment;

/* An instance of a group of the message structure: segments [first, last) and its parent's ordinal, UINT32_MAX at the top. */
typedef struct weir_v2_group {
  uint32_t name; /* ordinal in the structure's group names */
  uint32_t parent;
  uint32_t first, last;
} weir_v2_group;

typedef struct weir_v2_index {
  uint32_t struct_size;
  const uint8_t* bytes; /* 64 readable bytes follow the message */
  uint32_t size;
  weir_v2_delims delims;
  uint8_t flags;
  uint32_t segment_count, sep_count, group_count;
  const weir_v2_segment* segments;
  const uint32_t* seps;
  const weir_v2_group* groups; /* null until AssignGroups */
  const uint64_t* marks[WEIR_V2_MARKS];
} weir_v2_index;

#ifdef __cplusplus
}
#endif
#endif /* WEIR_V2_INDEX_H_ */
