// The ledger: kept by differences inside the transaction that causes them, so it is exact at every
// commit and costs no scan.
#pragma once

#include "runtime/hub/hub.h"
#include "runtime/hub/names.h"
#include "runtime/hub/sqlite.h"

namespace weir::hub {

enum class Outcome : int64_t {  // inbox.status; numbers are stored
  kApplied = 0,
  kDuplicate = 1,
  kSuppressed = 2,
  kSchema = 3,
  kTerminology = 4,
  kPolicy = 5,
  kTransform = 6,
  kHeld = 7,  // stored and not judged: `in_flight`
};
inline bool IsRejected(Outcome outcome) { return outcome >= Outcome::kSchema && outcome <= Outcome::kTransform; }
Outcome RejectedAs(std::string_view error_class);
std::string_view NameOf(Outcome outcome);  // of its counter

enum Flags : int64_t { kLate = 1, kKeyReused = 2, kDegraded = 4, kOmitted = 8 };  // inbox.flags

class Counters {
 public:
  Counters(Database& db, Names& names);
  // A record of `feed` has (sign 1) or no longer has (sign -1) this outcome and these flags.
  void Count(int64_t feed, Outcome outcome, int64_t flags, int sign, bool this_run);
  void CountFlags(int64_t feed, int64_t flags, int sign, bool this_run);
  void Save();  // the changed feeds
  void BeginRun() { run_.clear(); }
  void GoOnRun(const Counters& before) { run_ = before.run_; }

  Ledger Total() const { return Named(total_); }
  Ledger Run() const { return Named(run_); }

 private:
  using ByFeed = std::map<int64_t, Counts>;
  Ledger Named(const ByFeed& counts) const;

  Names& names_;
  ByFeed total_, saved_, run_;
  Statement save_;
};

// Every counter with its column name, in the order of design section 6.
struct CounterName {
  const char* name;
  int64_t Counts::* field;
};
inline constexpr CounterName kCounters[] = {
    {"received", &Counts::received},     {"applied", &Counts::applied},
    {"duplicate", &Counts::duplicate},   {"suppressed", &Counts::suppressed},
    {"schema", &Counts::schema},         {"terminology", &Counts::terminology},
    {"policy", &Counts::policy},         {"transform", &Counts::transform},
    {"in_flight", &Counts::in_flight},   {"late", &Counts::late},
    {"key_reused", &Counts::key_reused}, {"degraded", &Counts::degraded},
    {"omitted", &Counts::omitted}};

}  // namespace weir::hub
