// SipHash-2-4 with 128 bits, its state in registers where it is inlined.
#pragma once

#include "runtime/kernel/rt.h"

namespace weir::kernel {

class SipStream {
 public:
  __attribute__((always_inline)) explicit SipStream(const uint8_t* key) {
    uint64_t k0 = Load(key), k1 = Load(key + 8);
    v0_ = k0 ^ 0x736f6d6570736575;
    v1_ = k1 ^ 0x646f72616e646f6d ^ 0xee;
    v2_ = k0 ^ 0x6c7967656e657261;
    v3_ = k1 ^ 0x7465646279746573;
  }
  __attribute__((always_inline)) void Add(uint32_t size) { Bits(size, 4); }
  __attribute__((always_inline)) void Add(Text t) {
    for (; t.n >= 8; t.n -= 8, t.p += 8) {
      Bits(Load(t.p), 8);
    }
    uint64_t rest = 0;
    for (uint32_t i = 0; i < t.n; ++i) {
      rest |= static_cast<uint64_t>(t.p[i]) << (8 * i);
    }
    if (t.n != 0) {
      Bits(rest, t.n);
    }
  }
  __attribute__((always_inline)) void End(uint8_t out[16]) {
    Absorb(tail_ | size_ << 56);
    v2_ ^= 0xee;
    for (int i = 0; i < 4; ++i) {
      Round();
    }
    uint64_t low = v0_ ^ v1_ ^ v2_ ^ v3_;
    v1_ ^= 0xdd;
    for (int i = 0; i < 4; ++i) {
      Round();
    }
    uint64_t high = v0_ ^ v1_ ^ v2_ ^ v3_;
    __builtin_memcpy(out, &low, 8);
    __builtin_memcpy(out + 8, &high, 8);
  }

 private:
  static __attribute__((always_inline)) uint64_t Load(const uint8_t* p) {
    uint64_t value;
    __builtin_memcpy(&value, p, 8);
    return value;
  }
  static __attribute__((always_inline)) uint64_t Rotate(uint64_t x, int by) { return x << by | x >> (64 - by); }
  __attribute__((always_inline)) void Round() {
    v0_ += v1_;
    v1_ = Rotate(v1_, 13) ^ v0_;
    v0_ = Rotate(v0_, 32);
    v2_ += v3_;
    v3_ = Rotate(v3_, 16) ^ v2_;
    v0_ += v3_;
    v3_ = Rotate(v3_, 21) ^ v0_;
    v2_ += v1_;
    v1_ = Rotate(v1_, 17) ^ v2_;
    v2_ = Rotate(v2_, 32);
  }
  __attribute__((always_inline)) void Absorb(uint64_t block) {
    v3_ ^= block;
    Round();
    Round();
    v0_ ^= block;
  }
  // The `count` low bytes of `value`, 1 to 8; the others are zero.
  __attribute__((always_inline)) void Bits(uint64_t value, uint32_t count) {
    uint32_t held = size_ & 7;
    size_ += count;
    tail_ |= value << (8 * held);
    if (held + count >= 8) {
      Absorb(tail_);
      tail_ = held == 0 ? 0 : value >> (8 * (8 - held));
    }
  }

  uint64_t v0_, v1_, v2_, v3_, tail_ = 0, size_ = 0;
};

}  // namespace weir::kernel
