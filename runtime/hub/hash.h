// BLAKE2b of libsodium: raw digests and keys (128 bits), audit chain and hub digest (256 bits).
#pragma once

#include <sodium.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace weir::hub {

using Digest16 = std::array<uint8_t, 16>;
using Digest32 = std::array<uint8_t, 32>;

template <size_t N>
std::string_view View(const std::array<uint8_t, N>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), N};
}

// 16 bytes of a row; zeros when there are others.
inline Digest16 AsId(std::string_view bytes) {
  Digest16 id{};
  if (bytes.size() == id.size()) {
    memcpy(id.data(), bytes.data(), id.size());
  }
  return id;
}

// Parts are length-prefixed, so that no two lists of parts hash alike.
template <size_t N>
class Hasher {
 public:
  Hasher() { crypto_generichash_init(&state_, nullptr, 0, N); }
  Hasher& Add(std::string_view part) {
    const uint64_t size = part.size();
    crypto_generichash_update(&state_, reinterpret_cast<const uint8_t*>(&size), sizeof size);
    crypto_generichash_update(&state_, reinterpret_cast<const uint8_t*>(part.data()), part.size());
    return *this;
  }
  std::array<uint8_t, N> Finish() {
    std::array<uint8_t, N> digest;
    crypto_generichash_final(&state_, digest.data(), N);
    return digest;
  }

 private:
  crypto_generichash_state state_;
};

inline Digest16 HashRaw(std::string_view bytes) {
  Digest16 digest;
  crypto_generichash(digest.data(), digest.size(), reinterpret_cast<const uint8_t*>(bytes.data()),
                     bytes.size(), nullptr, 0);
  return digest;
}

inline std::string Hex(std::string_view bytes) {
  std::string hex(2 * bytes.size(), '0');
  for (size_t i = 0; i < bytes.size(); ++i) {
    hex[2 * i] = "0123456789abcdef"[static_cast<uint8_t>(bytes[i]) >> 4];
    hex[2 * i + 1] = "0123456789abcdef"[static_cast<uint8_t>(bytes[i]) & 15];
  }
  return hex;
}

// False when `hex` is not exactly lower-case hex of N bytes.
template <size_t N>
bool Unhex(std::string_view hex, std::array<uint8_t, N>* bytes) {
  const auto digit = [](char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  if (hex.size() != 2 * N) {
    return false;
  }
  for (size_t i = 0; i < N; ++i) {
    const int high = digit(hex[2 * i]), low = digit(hex[2 * i + 1]);
    if (high < 0 || low < 0) {
      return false;
    }
    (*bytes)[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return true;
}

}  // namespace weir::hub
