// Time of a simulated run, what happens in it, and the trace that proves that two runs were the same. One thread; nothing of it looks
// at the real clock.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <queue>
#include <string_view>
#include <vector>

#include "tests/sim/random.h"

namespace weir::sim {

// A hash over all that happened, in its order; the text too, for a person who replays a seed.
class Trace {
 public:
  explicit Trace(bool prints) : prints_(prints) {}
  void Note(int64_t now_us, std::string_view what, std::initializer_list<int64_t> numbers = {}, std::string_view bytes = {});
  uint64_t hash() const { return hash_; }
  bool prints() const { return prints_; }

 private:
  uint64_t hash_ = 0;
  bool prints_;
};

class World {
 public:
  World(uint64_t seed, bool prints) : trace_(prints), seed_(seed) {}
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  int64_t now_us() const { return now_us_; }
  int64_t wall_us() const { return kEpochUs + now_us_ + wall_shift_us_; }
  void ShiftWall(int64_t by_us) { wall_shift_us_ += by_us; }
  void Advance(int64_t by_us) { now_us_ += by_us; }  // work that takes time; what was due meanwhile happens at the next Step

  void After(int64_t delay_us, std::function<void()> what);
  // Lets the next thing happen that is due until then; false when there is none, and then it is `until_us`.
  bool Step(int64_t until_us);

  Random Stream(uint64_t number) const { return Random(seed_, number); }
  void Note(std::string_view what, std::initializer_list<int64_t> numbers = {}, std::string_view bytes = {}) {
    trace_.Note(now_us_, what, numbers, bytes);
  }
  const Trace& trace() const { return trace_; }

  static constexpr int64_t kEpochUs = 1'761'974'400'000'000;  // 2025-11-01T05:20:00Z: New York leaves daylight saving a day later

 private:
  struct Due {
    int64_t at_us;
    uint64_t number;
    std::function<void()> what;
  };
  struct Later {
    bool operator()(const Due& a, const Due& b) const { return a.at_us != b.at_us ? a.at_us > b.at_us : a.number > b.number; }
  };

  int64_t now_us_ = 0, wall_shift_us_ = 0;
  uint64_t next_ = 0;
  std::priority_queue<Due, std::vector<Due>, Later> due_;
  Trace trace_;
  uint64_t seed_;
};

}  // namespace weir::sim
