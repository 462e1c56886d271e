// What the node counts of itself, and the text Prometheus reads. Labels are feeds, fixed words and codes; nothing of a message.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "runtime/hub/hub.h"

namespace weir::serve {

// Counts below fixed bounds, as Prometheus has them.
class Histogram {
 public:
  explicit Histogram(std::span<const uint64_t> bounds) : bounds_(bounds) {}
  void Add(uint64_t value);
  // `scale`: what one unit of the bounds is in the metric's base unit.
  void Write(std::string_view name, std::string_view help, double scale, std::string* out) const;

 private:
  static constexpr size_t kMost = 16;
  std::span<const uint64_t> bounds_;
  std::array<uint64_t, kMost + 1> counts_{};
  uint64_t sum_ = 0;
};

inline constexpr std::array<uint64_t, 12> kCommitBoundsUs = {500, 1000, 2500, 5000, 10'000, 25'000, 50'000, 100'000, 250'000, 500'000, 1'000'000, 5'000'000};
inline constexpr std::array<uint64_t, 9> kBatchBounds = {1, 2, 5, 10, 25, 50, 100, 500, 1000};

struct Metrics {
  uint64_t connections = 0;  // open now
  uint64_t accepted = 0, frames = 0, cut_frames = 0, bytes_read = 0, bytes_written = 0, store_failures = 0, files = 0, unreadable_files = 0;
  uint64_t forbidden = 0;                                  // records of a feed that their sender may not feed
  uint64_t reloads = 0, refused_reloads = 0;               // of credentials
  int64_t certificate_expires_us = 0;                      // 0: there is none
  std::map<std::string, uint64_t, std::less<>> answers;    // by MSA-1
  std::map<std::string, uint64_t, std::less<>> responses;  // by HTTP status
  std::map<std::string, uint64_t, std::less<>> refused;    // connections closed, by reason
  Histogram commit_us{kCommitBoundsUs}, batches{kBatchBounds};

  std::string Text(const hub::Ledger& ledger, const hub::Manifest& manifest, bool store_open) const;
};

}  // namespace weir::serve
