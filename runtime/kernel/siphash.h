// SipHash-2-4 with 128 bits, of bytes in one place or of texts one after the other.
#pragma once

#include "runtime/kernel/rt.h"

namespace weir::kernel {

struct SipState {
  uint64_t v0, v1, v2, v3;

  __attribute__((always_inline)) explicit SipState(const uint8_t* key) {
    uint64_t k[2];
    __builtin_memcpy(k, key, 16);
    v0 = k[0] ^ 0x736f6d6570736575;
    v1 = k[1] ^ 0x646f72616e646f6d ^ 0xee;
    v2 = k[0] ^ 0x6c7967656e657261;
    v3 = k[1] ^ 0x7465646279746573;
  }
  static __attribute__((always_inline)) uint64_t Rotate(uint64_t x, int by) { return x << by | x >> (64 - by); }
  __attribute__((always_inline)) void Round() {
    v0 += v1;
    v1 = Rotate(v1, 13) ^ v0;
    v0 = Rotate(v0, 32);
    v2 += v3;
    v3 = Rotate(v3, 16) ^ v2;
    v0 += v3;
    v3 = Rotate(v3, 21) ^ v0;
    v2 += v1;
    v1 = Rotate(v1, 17) ^ v2;
    v2 = Rotate(v2, 32);
  }
  __attribute__((always_inline)) void Absorb(uint64_t block) {
    v3 ^= block;
    Round();
    Round();
    v0 ^= block;
  }
  // `last`: the bytes that fill no block, low byte first.
  __attribute__((always_inline)) void End(uint64_t last, uint64_t size, uint8_t digest[16]) {
    Absorb(last | size << 56);
    v2 ^= 0xee;
    for (int half = 0; half < 2; ++half) {
      for (int i = 0; i < 4; ++i) {
        Round();
      }
      uint64_t word = v0 ^ v1 ^ v2 ^ v3;
      __builtin_memcpy(digest + 8 * half, &word, 8);
      v1 ^= 0xdd;
    }
  }
};

class SipStream {
 public:
  __attribute__((always_inline)) explicit SipStream(const uint8_t* key) : state_(key) {}
  __attribute__((always_inline)) void Add(uint32_t size) { Bits(size, 4); }
  __attribute__((always_inline)) void Add(Text t) {
    for (; t.n >= 8; t.n -= 8, t.p += 8) {
      uint64_t word;
      __builtin_memcpy(&word, t.p, 8);
      Bits(word, 8);
    }
    uint64_t rest = 0;
    for (uint32_t i = 0; i < t.n; ++i) {
      rest |= static_cast<uint64_t>(t.p[i]) << (8 * i);
    }
    if (t.n != 0) {
      Bits(rest, t.n);
    }
  }
  __attribute__((always_inline)) void End(uint8_t digest[16]) { state_.End(tail_, size_, digest); }

 private:
  // The `count` low bytes of `value`, 1 to 8; the others are zero.
  __attribute__((always_inline)) void Bits(uint64_t value, uint32_t count) {
    uint32_t held = size_ & 7;
    size_ += count;
    tail_ |= value << (8 * held);
    if (held + count >= 8) {
      state_.Absorb(tail_);
      tail_ = held == 0 ? 0 : value >> (8 * (8 - held));
    }
  }

  SipState state_;
  uint64_t tail_ = 0, size_ = 0;
};

// Eight bytes behind them are written.
WK_INLINE void SipHash(const uint8_t* key, uint8_t* bytes, uint64_t size, uint8_t digest[16]) {
  uint64_t block = 0;
  __builtin_memcpy(bytes + size, &block, 8);
  SipState state(key);
  for (uint64_t i = 0; i + 8 <= size; i += 8) {
    __builtin_memcpy(&block, bytes + i, 8);
    state.Absorb(block);
  }
  __builtin_memcpy(&block, bytes + (size & ~uint64_t{7}), 8);
  state.End(block, size, digest);
}

}  // namespace weir::kernel
