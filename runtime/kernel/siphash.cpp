// SipHash-2-4 with 128 bits, streaming: content digests and resource ids are hashed where the bytes lie.
#include "runtime/kernel/rt.h"

namespace weir::kernel {
namespace {

WK_INLINE uint64_t Rotate(uint64_t x, int by) { return x << by | x >> (64 - by); }

WK_INLINE void Round(Sip* s) {
  s->v0 += s->v1;
  s->v1 = Rotate(s->v1, 13) ^ s->v0;
  s->v0 = Rotate(s->v0, 32);
  s->v2 += s->v3;
  s->v3 = Rotate(s->v3, 16) ^ s->v2;
  s->v0 += s->v3;
  s->v3 = Rotate(s->v3, 21) ^ s->v0;
  s->v2 += s->v1;
  s->v1 = Rotate(s->v1, 17) ^ s->v2;
  s->v2 = Rotate(s->v2, 32);
}
WK_INLINE void Absorb(Sip* s, uint64_t block) {
  s->v3 ^= block;
  Round(s);
  Round(s);
  s->v0 ^= block;
}
WK_INLINE uint64_t Load8(const uint8_t* p) {
  uint64_t value;
  __builtin_memcpy(&value, p, 8);
  return value;
}

}  // namespace

WK_INLINE void Start(Sip* s, const uint8_t* key) {
  uint64_t k0 = Load8(key), k1 = Load8(key + 8);
  *s = {k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d ^ 0xee, k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573, 0, 0};
}

void SipAdd(Sip* s, const uint8_t* p, uint32_t n) {
  uint32_t held = s->size & 7;
  s->size += n;
  if (held != 0) {
    while (n != 0 && held < 8) {
      s->tail |= static_cast<uint64_t>(*p++) << (8 * held++);
      --n;
    }
    if (held < 8) {
      return;
    }
    Absorb(s, s->tail);
    s->tail = 0;
  }
  if (n >= 8) {
    Sip local = *s;  // `p` might lie in the state for all the compiler knows
    for (; n >= 8; n -= 8, p += 8) {
      Absorb(&local, Load8(p));
    }
    *s = local;
  }
  for (uint32_t i = 0; i < n; ++i) {
    s->tail |= static_cast<uint64_t>(p[i]) << (8 * i);
  }
}

void SipAddSize(Sip* s, uint32_t n) {
  uint32_t held = s->size & 7;
  s->size += 4;
  s->tail |= static_cast<uint64_t>(n) << (8 * held);
  if (held >= 4) {
    Absorb(s, s->tail);
    s->tail = held == 4 ? 0 : static_cast<uint64_t>(n) >> (8 * (8 - held));
  }
}

WK_INLINE void End(Sip* s, uint8_t out[16]) {
  Absorb(s, s->tail | s->size << 56);
  s->v2 ^= 0xee;
  for (int i = 0; i < 4; ++i) {
    Round(s);
  }
  uint64_t low = s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
  s->v1 ^= 0xdd;
  for (int i = 0; i < 4; ++i) {
    Round(s);
  }
  uint64_t high = s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
  __builtin_memcpy(out, &low, 8);
  __builtin_memcpy(out + 8, &high, 8);
}

void SipStart(Sip* s, const uint8_t* key) { Start(s, key); }
void SipEnd(Sip* s, uint8_t out[16]) { End(s, out); }

// The whole of [p, p+n) at once, its state in registers. Reads up to 7 bytes more.
void SipOf(const uint8_t* key, const uint8_t* p, uint64_t n, uint8_t out[16]) {
  Sip s;
  Start(&s, key);
  s.size = n;
  for (; n >= 8; n -= 8, p += 8) {
    Absorb(&s, Load8(p));
  }
  s.tail = n != 0 ? Load8(p) & ((uint64_t{1} << (8 * n)) - 1) : 0;
  End(&s, out);
}

}  // namespace weir::kernel
