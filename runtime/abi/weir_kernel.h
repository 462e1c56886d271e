/* The kernel ABI: pure C, versioned, no allocation, no exceptions, no callbacks. Interpreter, JIT and AOT kernels are all
 * driven through it, and a dead letter can be written from its status alone.
 *
 * Ownership: the caller owns every buffer; a kernel writes only into weir_output and its scratch. Sizes are bytes. */
#ifndef WEIR_KERNEL_H_
#define WEIR_KERNEL_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WEIR_ABI_VERSION 4u /* 2: the index has marks; 3: each kind of them lies by itself; 4: keys within others, no fold entry */

struct weir_v2_index; /* runtime/v2/index.h */

/* Append-only: numbers never change their meaning. */
typedef enum weir_status {
  WEIR_OK = 0,
  WEIR_REJECTED = 1,      /* output->site names class, code and path (manifest) */
  WEIR_SUPPRESSED = 2,    /* the feed declares that it does not collect this */
  WEIR_UNROUTED = 3,      /* no feed accepts it */
  WEIR_OUTPUT_FULL = 4,   /* grow output buffers and call again; nothing was decided */
  WEIR_SCRATCH_FULL = 5,  /* same for scratch */
  WEIR_LIMIT = 6,         /* a bound of the executor; dead letter transform/limit */
  WEIR_BAD_INPUT = 7      /* ABI misuse */
} weir_status;

typedef struct weir_input {
  uint32_t struct_size;
  uint32_t kind;                       /* 0: HL7 v2; 1: JSON */
  const uint8_t* bytes;                /* 64 readable bytes follow bytes[size-1] */
  uint32_t size;
  const struct weir_v2_index* index;   /* kind 0 */
} weir_input;

typedef struct weir_snapshot { /* immutable for a batch; its digest is stored with the rows */
  uint32_t struct_size;
  uint8_t namespace_key[16];
  const uint8_t* namespace_name; /* package, or what --namespace-key's file says */
  uint32_t namespace_size;
} weir_snapshot;

typedef enum weir_op { WEIR_OP_PUT = 0, WEIR_OP_PATCH = 1, WEIR_OP_FILL = 2, WEIR_OP_RETRACT = 3, WEIR_OP_ALIAS = 4 } weir_op;

typedef struct weir_contribution {
  uint32_t op;              /* weir_op */
  uint32_t map;             /* ordinal in the manifest */
  uint32_t type;            /* ordinal of the resource type in the manifest */
  char id[32];              /* 32 lower-case hex, no terminator */
  char other_id[32];        /* WEIR_OP_ALIAS: the survivor */
  uint32_t tag_offset, tag_size;    /* in output->bytes; contribution: one event; retract: events joined by ',' */
  uint32_t body_offset, body_size;  /* in output->bytes; canonical JSON; empty for retract and alias */
} weir_contribution;

/* A key `within` another (docs/decisions/2026-11-28-ids-within.md). The output lists those that the
 * record's contributions, aliases and references name, and the ancestors of these: a set, whose
 * order and repetitions mean nothing. */
typedef struct weir_key {
  uint32_t type, parent_type; /* ordinals in the manifest */
  char id[32], parent[32];    /* hex, as of contributions */
  uint8_t own[16];            /* digest of the key's own parts: id = H(parent, own) */
} weir_key;

enum {
  WEIR_COUNT_DEGRADED = 0,
  WEIR_COUNT_OMITTED = 1,
  WEIR_COUNT_UNKNOWN_AUTHORITY = 2,
  WEIR_COUNT_PROFILE_DROPPED = 3,
  WEIR_COUNTERS = 8
};

typedef struct weir_output {
  uint32_t struct_size;
  uint8_t* bytes;
  uint32_t capacity, used;
  weir_contribution* items;
  uint32_t item_capacity, item_count;
  weir_key* keys;
  uint32_t key_capacity, key_count;
  uint8_t* scratch; /* collections and decoded text of one record; reset by the kernel at entry */
  uint32_t scratch_capacity;
  uint32_t site;             /* manifest ordinal when WEIR_REJECTED */
  uint32_t counters[WEIR_COUNTERS];
} weir_output;

/* What identifies and orders a record. Byte ranges point into output->bytes. */
typedef struct weir_probe {
  uint32_t struct_size;
  uint32_t feed;                         /* ordinal; UINT32_MAX when WEIR_UNROUTED */
  uint32_t key_offset, key_size;         /* duplicate key, length-prefixed texts; key_size 0: unreadable, the raw bytes are the key */
  uint8_t content_digest[16];            /* decoded segments without the declared transport fields */
  int64_t event_time_us;                 /* microseconds since 1970 UTC; INT64_MIN when unknown */
  uint32_t order_offset, order_size;     /* memcmp order: event time, lifecycle rank, control id, content digest */
  uint32_t event_offset, event_size;     /* "ADT^A01" */
} weir_probe;

typedef weir_status (*weir_probe_fn)(const weir_input*, const weir_snapshot*, weir_output*, weir_probe*);
typedef weir_status (*weir_transform_fn)(uint32_t feed, const weir_input*, const weir_snapshot*, weir_output*);

/* What a JIT or AOT kernel exports as `weir_kernel_v1`. */
typedef struct weir_kernel {
  uint32_t abi_version, struct_size;
  weir_probe_fn probe;
  weir_transform_fn transform;
  const char* manifest_json; /* feeds, maps, types, sites, element orders, semantic_digest */
  uint32_t manifest_size;
} weir_kernel;

#ifdef __cplusplus
}
#endif
#endif /* WEIR_KERNEL_H_ */
