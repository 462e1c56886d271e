// Entry and exit of a call, and what identifies and orders a record.
#include "runtime/kernel/siphash.h"

namespace weir::kernel {
namespace {

constexpr uint32_t kMsh = WEIR_V2_ID('M', 'S', 'H');

bool In(const Text* list, uint64_t count, Text text) {
  for (uint64_t i = 0; i < count; ++i) {
    if (Same(list[i], text)) {
      return true;
    }
  }
  return false;
}

// `MSH-9.1^event`, or with `*` for the event.
bool AcceptedEvent(const FeedRules* rules, Text code, Text event) {
  for (uint64_t i = 0; i < rules->accept_count; ++i) {
    Text entry = rules->accept[i];
    if (entry.n <= code.n || entry.p[code.n] != '^' || !Same({entry.p, code.n}, code)) {
      continue;
    }
    Text rest = {entry.p + code.n + 1, entry.n - code.n - 1};
    if (Same(rest, event) || Is(rest, "*")) {
      return true;
    }
  }
  return false;
}

WK_INLINE uint32_t Used(Context* c) { return static_cast<uint32_t>(c->cur - c->output->bytes); }
void Append(Context* c, const uint8_t* p, uint64_t n) {
  if (static_cast<uint64_t>(c->end - c->cur) < n) {
    c->output_full = 1;
    return;
  }
  Copy(c->cur, p, n);
  c->cur += n;
}

weir_status StatusOf(Context* c) {
  weir_output* o = c->output;
  if (c->failure == kRejected) {
    o->site = c->site;
    return WEIR_REJECTED;
  }
  o->site = c->failure == kLimit ? c->limit_site : c->error_site;
  return c->failure == kLimit ? WEIR_LIMIT : WEIR_REJECTED;
}

}  // namespace

extern "C" {

// 0 or the status to answer at once. The memo's flags must be clear.
uint32_t wk_begin(Context* c, const weir_input* input, const weir_snapshot* snapshot, weir_output* output, uint64_t memos) {
  if (input == nullptr || snapshot == nullptr || output == nullptr || input->kind != 0 || input->bytes == nullptr || input->index == nullptr ||
      input->index->marks[0] == nullptr) {
    return WEIR_BAD_INPUT;
  }
  output->used = output->item_count = output->key_count = output->site = 0;
  for (uint32_t& counter : output->counters) {
    counter = 0;
  }
  if (output->capacity < kLeastBuffer) {
    return WEIR_OUTPUT_FULL;
  }
  uint64_t skew = -reinterpret_cast<uint64_t>(output->scratch) & 15;
  uint64_t reserved = (memos * (sizeof(Coll) + 1) + 15) & ~uint64_t{15};
  if (output->scratch == nullptr || output->scratch_capacity < skew + reserved + kLeastBuffer) {
    return WEIR_SCRATCH_FULL;
  }
  uint8_t* scratch = output->scratch + skew;
  *c = {};
  c->input = input;
  c->index = input->index;
  c->snapshot = snapshot;
  c->output = output;
  c->cur = output->bytes;
  c->end = output->bytes + output->capacity;
  c->memo = reinterpret_cast<Coll*>(scratch);
  c->memo_set = scratch + memos * sizeof(Coll);
  for (uint64_t i = 0; i < memos; ++i) {
    c->memo_set[i] = 0;
  }
  c->heap = scratch + reserved;
  c->heap_end = output->scratch + output->scratch_capacity;
  return 0;
}

// Whether the message starts with a usable header.
bool wk_valid(Context* c) {
  const weir_v2_index* index = c->index;
  for (uint32_t i = 0; i < index->segment_count; ++i) {
    const weir_v2_segment& s = index->segments[i];
    if (s.id != 0) {
      return s.id == kMsh && s.end >= s.begin + 6;
    }
  }
  return false;
}

uint32_t wk_transform_end(Context* c) {
  weir_output* o = c->output;
  bool full = c->output_full != 0;
  if (full || c->scratch_full != 0 || c->failure != kNone) {
    o->item_count = o->key_count = 0;
    return full ? WEIR_OUTPUT_FULL : c->scratch_full != 0 ? WEIR_SCRATCH_FULL : StatusOf(c);
  }
  o->used = Used(c);
  for (int i = 0; i < WEIR_COUNTERS; ++i) {
    o->counters[i] = c->counters[i];
  }
  return WEIR_OK;
}

void wk_probe_clear(weir_probe* probe) {
  *probe = {};
  probe->struct_size = sizeof(weir_probe);
  probe->feed = UINT32_MAX;
  probe->event_time_us = INT64_MIN;
}

bool wk_accepts(Context* c, const FeedRules* rules) {
  if (!AcceptedEvent(rules, FieldText(c, kMsh, 9, 1), EventOf(c))) {
    return false;
  }
  if (rules->processing_count != 0 && !In(rules->processing, rules->processing_count, FieldText(c, kMsh, 11, 1))) {
    return false;
  }
  return rules->version_count == 0 || In(rules->versions, rules->version_count, FieldText(c, kMsh, 12, 1));
}

// A route that fails does not take the record: its failure is forgotten.
bool wk_routed(Context* c, bool route) {
  bool routed = route && c->failure == kNone;
  c->failure = kNone;
  return routed;
}

void wk_digest(Context* c, weir_probe* probe, const Excluded* excluded, uint64_t count) {
  static const uint8_t kZeros[16] = {};
  const weir_v2_index* index = c->index;
  const weir_v2_delims& d = index->delims;
  SipStream sip(kZeros);
  for (uint32_t i = 0; i < index->segment_count; ++i) {
    const weir_v2_segment& s = index->segments[i];
    if (s.id == 0) {
      continue;
    }
    uint8_t id[3] = {static_cast<uint8_t>(s.id), static_cast<uint8_t>(s.id >> 8), static_cast<uint8_t>(s.id >> 16)};
    sip.Add(3u);
    sip.Add(Text{id, 3});
    bool msh = s.id == kMsh;
    uint32_t empties = 0;
    Text field;
    for (uint32_t n = 1; WholeField(c, i, n, &field); ++n) {
      bool out = false;
      for (uint64_t k = 0; k < count; ++k) {
        out |= excluded[k].segment == s.id && excluded[k].field == n;
      }
      if (out) {
        field.n = 0;
      } else if (!msh || n > 2) {
        while (field.n != 0) {
          uint8_t b = field.p[field.n - 1];
          if (!Blank(b) && b != d.component && b != d.repetition && b != d.subcomponent) {
            break;
          }
          --field.n;
        }
      }
      if (field.n == 0) {
        ++empties;
        continue;
      }
      for (; empties != 0; --empties) {
        sip.Add(0u);
      }
      sip.Add(field.n);
      sip.Add(Text{field.p, field.n});
    }
    sip.Add(0xFFFFFFFFu);
  }
  sip.End(probe->content_digest);
}

void wk_probe_event(Context* c, weir_probe* probe) {
  static const uint8_t kCaret = '^';
  Text code = FieldText(c, kMsh, 9, 1), event = EventOf(c);
  probe->event_offset = Used(c);
  Append(c, code.p, code.n);
  Append(c, &kCaret, 1);
  Append(c, event.p, event.n);
  probe->event_size = Used(c) - probe->event_offset;
}

void wk_probe_key(Context* c, weir_probe* probe, const Coll* parts, uint64_t count) {
  probe->key_offset = Used(c);
  bool readable = false;
  for (uint64_t i = 0; i < count; ++i) {
    Text t = {nullptr, 0};
    SingleString(c, parts[i], &t);
    readable |= t.n != 0;
    uint8_t size[4] = {static_cast<uint8_t>(t.n), static_cast<uint8_t>(t.n >> 8), static_cast<uint8_t>(t.n >> 16), static_cast<uint8_t>(t.n >> 24)};
    Append(c, size, 4);
    Append(c, t.p, t.n);
  }
  if (!readable || c->failure != kNone) {
    c->cur = c->output->bytes + probe->key_offset;
  }
  probe->key_size = Used(c) - probe->key_offset;
}

// True when the text is a time stamp: it is the event time.
bool wk_probe_time(Context* c, weir_probe* probe, Coll in) {
  Text text;
  Temporal t;
  if (c->failure != kNone || !SingleString(c, in, &text) || !ParseHl7(text, &t)) {
    return false;
  }
  int64_t seconds = LocalSeconds(t);
  if (t.has_offset) {
    seconds -= int64_t{t.offset} * 60;
  } else if (c->zone != nullptr) {
    seconds -= OffsetAt(c->zone, seconds);
  }
  probe->event_time_us = seconds * 1000000 + t.nanos / 1000;
  return true;
}

void wk_probe_order(Context* c, weir_probe* probe, bool undoes) {
  probe->order_offset = Used(c);
  uint8_t head[9], zero = 0;
  uint64_t biased = static_cast<uint64_t>(probe->event_time_us) ^ (uint64_t{1} << 63);
  for (int i = 0; i < 8; ++i) {
    head[i] = static_cast<uint8_t>(biased >> (56 - 8 * i));
  }
  head[8] = undoes ? 1 : 0;
  Text control = FieldText(c, kMsh, 10, 0);
  Append(c, head, 9);
  Append(c, control.p, control.n);
  Append(c, &zero, 1);
  Append(c, probe->content_digest, 16);
  probe->order_size = Used(c) - probe->order_offset;
}

uint32_t wk_failed(Context* c) { return c->failure; }

uint32_t wk_probe_end(Context* c, weir_probe* probe, bool suppressed) {
  if (c->output_full != 0) {
    return WEIR_OUTPUT_FULL;
  }
  if (c->scratch_full != 0) {
    return WEIR_SCRATCH_FULL;
  }
  c->output->used = Used(c);
  if (probe->feed == UINT32_MAX) {
    return WEIR_UNROUTED;
  }
  if (c->failure != kNone) {
    return StatusOf(c);
  }
  return suppressed ? WEIR_SUPPRESSED : WEIR_OK;
}

}  // extern "C"

}  // namespace weir::kernel

// The backend may ask for these; a kernel has no libc. Kept by the linker step, never inlined into themselves.
extern "C" {
void* memcpy(void* to, const void* from, size_t n) {
  auto* a = static_cast<uint8_t*>(to);
  const auto* b = static_cast<const uint8_t*>(from);
  for (size_t i = 0; i < n; ++i) {
    a[i] = b[i];
  }
  return to;
}
void* memset(void* to, int value, size_t n) {
  auto* a = static_cast<uint8_t*>(to);
  for (size_t i = 0; i < n; ++i) {
    a[i] = static_cast<uint8_t>(value);
  }
  return to;
}
}
