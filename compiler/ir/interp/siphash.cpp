#include "compiler/ir/interp/siphash.h"

#include <bit>
#include <cstdint>

namespace weir::ir {
namespace {

uint64_t Load(std::string_view bytes, size_t at, size_t count) {
  uint64_t value = 0;
  for (size_t i = 0; i < count; ++i) {
    value |= static_cast<uint64_t>(static_cast<unsigned char>(bytes[at + i])) << (8 * i);
  }
  return value;
}

struct State {
  uint64_t v0, v1, v2, v3;
  void Rounds(int count) {
    for (int i = 0; i < count; ++i) {
      v0 += v1;
      v2 += v3;
      v1 = std::rotl(v1, 13) ^ v0;
      v3 = std::rotl(v3, 16) ^ v2;
      v0 = std::rotl(v0, 32);
      v2 += v1;
      v0 += v3;
      v1 = std::rotl(v1, 17) ^ v2;
      v3 = std::rotl(v3, 21) ^ v0;
      v2 = std::rotl(v2, 32);
    }
  }
  uint64_t Fold() const { return v0 ^ v1 ^ v2 ^ v3; }
};

}  // namespace

std::string SipHash128(std::string_view key, std::string_view bytes) {
  uint64_t k0 = Load(key, 0, 8), k1 = Load(key, 8, 8);
  State s{k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d ^ 0xee, k0 ^ 0x6c7967656e657261,
          k1 ^ 0x7465646279746573};
  size_t whole = bytes.size() / 8 * 8;
  auto absorb = [&s](uint64_t block) {
    s.v3 ^= block;
    s.Rounds(2);
    s.v0 ^= block;
  };
  for (size_t at = 0; at < whole; at += 8) {
    absorb(Load(bytes, at, 8));
  }
  absorb(Load(bytes, whole, bytes.size() - whole) | static_cast<uint64_t>(bytes.size()) << 56);
  s.v2 ^= 0xee;
  s.Rounds(4);
  uint64_t low = s.Fold();
  s.v1 ^= 0xdd;
  s.Rounds(4);
  uint64_t high = s.Fold();
  std::string out;
  for (uint64_t half : {low, high}) {
    for (int shift = 0; shift < 64; shift += 8) {
      out.push_back(static_cast<char>((half >> shift) & 255));
    }
  }
  return out;
}

}  // namespace weir::ir
