// What one kernel made of a record, in the hub's own numbers. The attempt in force is the message's row of `inbox`, those before it
// are rows of `attempt`, each with the audit event that ended it. So what was known at any event can be told, and taken back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/hub/counters.h"
#include "runtime/hub/hash.h"
#include "runtime/hub/manifest.h"
#include "runtime/hub/sqlite.h"

namespace weir::hub {

struct Identity {  // what makes two records the same, and which copy counts
  Digest16 raw{}, key{}, content{};
  std::string ord{};

  bool SameGroup(const Identity& other) const { return key == other.key && content == other.content; }
  // Of copies the least counts.
  bool Before(const Identity& other) const { return std::pair(std::string_view(ord), raw) < std::pair(std::string_view(other.ord), other.raw); }
  bool operator==(const Identity&) const = default;
};

struct Attempt {
  int64_t msg = 0, kernel = 0, feed = 0, flags = 0, first_row = 0, rows = 0;
  Outcome outcome = Outcome::kApplied;
  std::string event{};
  std::optional<int64_t> event_time{};  // microseconds since 1970
  Identity identity{};
  SiteInfo site{};  // of a dead letter
  std::string detail{};  // of a terminology dead letter: the text that no row translates
};

class Attempts {
 public:
  explicit Attempts(Database& db);

  // In force; the site is looked up for dead letters only.
  Attempt Load(int64_t msg);
  void Save(const Attempt& attempt);  // puts it in force
  // Keeps an attempt that audit event `until` ends.
  void End(const Attempt& attempt, int64_t until);
  // The one in force right after audit event `seq`, if that is another than the present one.
  std::optional<Attempt> At(int64_t msg, int64_t seq);
  // Messages whose attempt changed after event `seq`, ascending.
  std::vector<int64_t> ChangedAfter(int64_t seq);

 private:
  Database& db_;
  Statement load_, site_, save_, end_, at_, changed_;
};

}  // namespace weir::hub
