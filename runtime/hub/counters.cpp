#include "runtime/hub/counters.h"

#include <algorithm>

namespace weir::hub {
namespace {

int64_t Counts::* FieldOf(Outcome outcome) {
  switch (outcome) {
    case Outcome::kApplied:
      return &Counts::applied;
    case Outcome::kDuplicate:
      return &Counts::duplicate;
    case Outcome::kSuppressed:
      return &Counts::suppressed;
    case Outcome::kSchema:
      return &Counts::schema;
    case Outcome::kTerminology:
      return &Counts::terminology;
    case Outcome::kPolicy:
      return &Counts::policy;
    case Outcome::kTransform:
      return &Counts::transform;
    case Outcome::kHeld:
      return &Counts::in_flight;
  }
  return &Counts::transform;
}

void AddFlags(Counts* counts, int64_t flags, int sign) {
  if (flags & kLate) {
    counts->late += sign;
  }
  if (flags & kKeyReused) {
    counts->key_reused += sign;
  }
  if (flags & kDegraded) {
    counts->degraded += sign;
  }
  if (flags & kOmitted) {
    counts->omitted += sign;
  }
}

}  // namespace

std::string_view NameOf(Outcome outcome) {
  const auto counter = std::ranges::find(kCounters, FieldOf(outcome), &CounterName::field);
  return counter == std::end(kCounters) ? "" : counter->name;
}

Outcome RejectedAs(std::string_view error_class) {
  if (error_class == "schema") {
    return Outcome::kSchema;
  }
  if (error_class == "terminology") {
    return Outcome::kTerminology;
  }
  if (error_class == "policy") {
    return Outcome::kPolicy;
  }
  return Outcome::kTransform;
}

Counters::Counters(Database& db, Names& names)
    : names_(names),
      save_(db, "INSERT INTO ledger VALUES(?,?,?) ON CONFLICT DO UPDATE SET n=excluded.n") {
  Statement all(db, "SELECT feed, counter, n FROM ledger");
  for (bool row = all.First(); row; row = all.Next()) {
    const auto counter = std::ranges::find(kCounters, all.Bytes(1), &CounterName::name);
    if (counter != std::end(kCounters)) {
      total_[all.Int(0)].*counter->field = all.Int(2);
    }
  }
  saved_ = total_;
}

void Counters::Count(int64_t feed, Outcome outcome, int64_t flags, int sign, bool this_run) {
  const auto add = [&](Counts* counts) {
    counts->received += sign;
    counts->*FieldOf(outcome) += sign;
  };
  add(&total_[feed]);
  if (this_run) {
    add(&run_[feed]);
  }
  if (outcome == Outcome::kApplied) {
    CountFlags(feed, flags, sign, this_run);
  }
}

void Counters::CountFlags(int64_t feed, int64_t flags, int sign, bool this_run) {
  AddFlags(&total_[feed], flags, sign);
  if (this_run) {
    AddFlags(&run_[feed], flags, sign);
  }
}

void Counters::Save() {
  for (const auto& [feed, counts] : total_) {
    const Counts before = saved_[feed];
    for (const CounterName& counter : kCounters) {
      if (counts.*counter.field != before.*counter.field) {
        save_.Run(feed, counter.name, counts.*counter.field);
      }
    }
  }
  saved_ = total_;
}

Ledger Counters::Named(const ByFeed& counts) const {
  Ledger ledger;
  for (const auto& [feed, one] : counts) {
    ledger[names_.Text("feed", feed)] = one;
  }
  return ledger;
}

std::string LedgerJson(const Ledger& ledger) {
  std::string json = "{\"feeds\":{";
  for (const auto& [feed, counts] : ledger) {
    if (json.back() != '{') {
      json += ',';
    }
    json += '"' + feed + "\":{";  // a feed's name is an identifier of the language
    const auto put = [&](const char* name, int64_t n) {
      if (json.back() != '{') {
        json += ',';
      }
      json += '"' + std::string(name) + "\":" + std::to_string(n);
    };
    put("received", counts.received);
    put("applied", counts.applied);
    put("duplicate", counts.duplicate);
    put("suppressed", counts.suppressed);
    json += ",\"rejected\":{";
    put("schema", counts.schema);
    put("terminology", counts.terminology);
    put("policy", counts.policy);
    put("transform", counts.transform);
    json += '}';
    put("in_flight", counts.in_flight);
    put("late", counts.late);
    put("key_reused", counts.key_reused);
    put("degraded", counts.degraded);
    put("omitted", counts.omitted);
    json += '}';
  }
  return json + "}}";
}

}  // namespace weir::hub
