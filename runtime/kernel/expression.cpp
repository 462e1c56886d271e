// Begin and end of an expression: from a tape to items as type name and text.
#include "runtime/kernel/fp.h"

namespace weir::kernel {
namespace {

WK_INLINE uint64_t RoomOf(Context* c) { return static_cast<uint64_t>(c->end - c->cur); }
void Put(Context* c, Text t) {
  if (t.n > RoomOf(c)) {
    c->output_full = 1;
    return;
  }
  Copy(c->cur, t.p, t.n);
  c->cur += t.n;
}
WK_INLINE void PutByte(Context* c, uint8_t b) { Put(c, {&b, 1}); }

void PutString(Context* c, Text t) {
  PutByte(c, '"');
  for (uint32_t i = 0; i < t.n; ++i) {
    uint8_t escape[6];
    uint32_t n = EscapeJson(t.p[i], escape);
    Put(c, {escape, n});
  }
  PutByte(c, '"');
}

void PutJson(Context* c, uint32_t at) {
  const weir_fhir_node& node = NodeAt(c, at);
  bool object = node.kind == WEIR_FHIR_OBJECT;
  if (!object && node.kind != WEIR_FHIR_ARRAY) {
    if (node.kind == WEIR_FHIR_STRING) {
      PutString(c, NodeText(node));
    } else {
      Put(c, node.kind == WEIR_FHIR_NULL ? Lit("null") : NodeText(node));
    }
    return;
  }
  PutByte(c, object ? '{' : '[');
  for (uint32_t k = node.first; k != 0; k = NodeAt(c, k).next) {
    if (k != node.first) {
      PutByte(c, ',');
    }
    if (object) {
      const weir_fhir_name& name = c->tape->names[NodeAt(c, k).member];
      PutString(c, {name.p, name.n});
      PutByte(c, ':');
    }
    PutJson(c, k);
  }
  PutByte(c, object ? '}' : ']');
}

// Leaves room for a size and answers where it stands.
uint8_t* OpenSize(Context* c) {
  const uint8_t zeros[4] = {};
  uint8_t* at = c->cur;
  Put(c, {zeros, 4});
  return at;
}
void CloseSize(Context* c, uint8_t* at) {
  if (c->output_full == 0) {
    auto size = static_cast<uint32_t>(c->cur - at - 4);
    for (int i = 0; i < 4; ++i) {
      at[i] = static_cast<uint8_t>(size >> (8 * i));
    }
  }
}

void PutItem(Context* c, const Item& item) {
  uint8_t* size = OpenSize(c);
  if (item.kind == kNode) {
    Put(c, Lit("FHIR."));
  }
  Put(c, TypeNameOf(c, item));
  CloseSize(c, size);
  size = OpenSize(c);
  Item system;
  Text text;
  if (ToSystem(c, item, &system)) {
    if (system.kind == kNode) {
      PutJson(c, system.n);
    } else if (TextOfSystem(c, system, &text)) {
      Put(c, text);
    }
  }
  CloseSize(c, size);
}

}  // namespace

// Bytes of a JSON string's escape of `b`, at most 6; most bytes stand for themselves.
uint32_t EscapeJson(uint8_t b, uint8_t* out) {
  uint8_t letter = b == '"' || b == '\\' ? b : b == '\b' ? 'b' : b == '\f' ? 'f' : b == '\n' ? 'n' : b == '\r' ? 'r' : b == '\t' ? 't' : 0;
  if (letter == 0 && b >= 0x20) {
    out[0] = b;
    return 1;
  }
  out[0] = '\\';
  out[1] = letter;
  if (letter != 0) {
    return 2;
  }
  uint8_t low = b & 15;
  out[1] = 'u';
  out[2] = out[3] = '0';
  out[4] = static_cast<uint8_t>('0' + (b >> 4));
  out[5] = static_cast<uint8_t>(low < 10 ? '0' + low : 'a' + low - 10);
  return 6;
}

extern "C" {

uint32_t wf_begin(Context* c, const weir_fhir_tape* tape, weir_output* output) {
  if (output == nullptr || (tape != nullptr && (tape->struct_size < sizeof(weir_fhir_tape) || tape->node_count == 0))) {
    return WEIR_BAD_INPUT;
  }
  output->used = output->item_count = output->key_count = output->site = 0;
  if (output->capacity < kLeastBuffer) {
    return WEIR_OUTPUT_FULL;
  }
  uint64_t skew = -reinterpret_cast<uint64_t>(output->scratch) & 15;
  if (output->scratch == nullptr || output->scratch_capacity < skew + kLeastBuffer) {
    return WEIR_SCRATCH_FULL;
  }
  *c = {};
  c->output = output;
  c->tape = tape;
  c->cur = output->bytes;
  c->end = output->bytes + output->capacity;
  c->heap = output->scratch + skew;
  c->heap_end = output->scratch + output->scratch_capacity;
  return WEIR_OK;
}

void wf_fail(Context* c) { Fail(c); }

uint32_t wf_end(Context* c, const Coll* result) {
  for (uint64_t i = 0; i < result->count && c->failure == kNone && c->output_full == 0; ++i) {
    PutItem(c, result->items[i]);
  }
  if (c->output_full != 0) {
    return WEIR_OUTPUT_FULL;
  }
  if (c->scratch_full != 0) {
    return WEIR_SCRATCH_FULL;
  }
  if (c->failure != kNone) {
    return c->failure == kLimit ? WEIR_LIMIT : WEIR_REJECTED;
  }
  c->output->used = static_cast<uint32_t>(c->cur - c->output->bytes);
  return WEIR_OK;
}

}  // extern "C"

}  // namespace weir::kernel
