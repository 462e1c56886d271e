// Every choice of a run comes from its seed. Parts draw from streams of their own, so that a change in one does not shift the others.
#pragma once

#include <cstdint>
#include <vector>

namespace weir::sim {

inline uint64_t Mix(uint64_t x) {  // splitmix64's finalizer
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

class Random {
 public:
  explicit Random(uint64_t seed, uint64_t stream = 0) : state_(Mix(seed + 0x9E3779B97F4A7C15u) ^ Mix(stream)) {}

  uint64_t Next() { return Mix(state_ += 0x9E3779B97F4A7C15u); }
  uint64_t Below(uint64_t n) { return n == 0 ? 0 : Next() % n; }
  int64_t Between(int64_t low, int64_t high) { return low + static_cast<int64_t>(Below(static_cast<uint64_t>(high - low + 1))); }
  bool Percent(uint64_t n) { return Below(100) < n; }
  bool PerMyriad(uint64_t n) { return Below(10'000) < n; }
  // Small values often, large ones now and then: delays and sizes of the world are like that.
  int64_t Skewed(int64_t low, int64_t high) {
    const auto span = static_cast<uint64_t>(high - low);
    return low + static_cast<int64_t>(Below(1 + (span >> Below(12))));
  }
  template <typename T>
  const T& Pick(const std::vector<T>& from) {
    return from[Below(from.size())];
  }
  template <typename T>
  void Shuffle(std::vector<T>* all) {
    for (size_t i = all->size(); i > 1; --i) {
      std::swap((*all)[i - 1], (*all)[Below(i)]);
    }
  }

 private:
  uint64_t state_;
};

}  // namespace weir::sim
