#include "runtime/serve/intake.h"

#include <algorithm>

namespace weir::serve {

Intake::Intake(ingest::Engine& engine, const ingest::IngestOptions& options, hub::HubOptions hub_options, io::Io& io, Metrics& metrics,
               Settle settle)
    : engine_(engine), options_(options), hub_options_(std::move(hub_options)), io_(io), metrics_(metrics), settle_(std::move(settle)),
      pipeline_(engine, options) {
  acknowledges_errors_ = std::ranges::any_of(engine.manifest().feeds, &hub::FeedInfo::acknowledge_errors);
}

Result<void> Intake::Open() {
  hub_.reset();  // gives the writer's lock back
  positions_.clear();
  auto opened = hub::Hub::Open(hub_options_);
  if (!opened) {
    Fail(opened.error());
    return opened.error();
  }
  if (auto bound = ingest::BindEngine(engine_, **opened, options_); !bound) {
    Fail(bound.error());
    return bound.error();
  }
  hub_ = std::move(*opened);
  state_ = StoreState::kOpen;
  return {};
}

void Intake::Fail(const Error& error) {
  failure_ = error.message;
  // SQLite's own words for SQLITE_FULL, and the hub's for a visitor that does not give it back: what mends itself.
  const bool passes = error.message.find("disk is full") != std::string::npos || error.message.find("is lent to") != std::string::npos;
  state_ = passes ? StoreState::kFull : StoreState::kBroken;
  ++metrics_.store_failures;
}

uint64_t Intake::NextPosition(const std::string& source) {
  auto found = positions_.find(source);
  if (found == positions_.end()) {
    const auto next = hub_->NextPosition(source);
    found = positions_.emplace(source, next ? *next : 0).first;  // a failed store says so again at the commit
  }
  return found->second++;
}

void Intake::Take(const frame::Frame& frame, Origin origin) {
  if (pipeline_.size() >= options_.batch || pipeline_.raw_bytes() >= options_.batch_bytes) {
    Commit();
  }
  WEIR_CHECK(!settling_);
  if (state_ != StoreState::kOpen) {
    return settle_(origin.ticket, {});
  }
  if (origins_.empty()) {
    since_us_ = io_.SteadyMicros();
  }
  pipeline_.Take(frame, origin.source, origin.position ? *origin.position : NextPosition(origin.source), hub_.get());
  wants_outcomes_ |= origin.wants_outcome;
  origins_.push_back(std::move(origin));
}

bool Intake::Lend() {
  if (state_ != StoreState::kOpen) {
    return false;
  }
  const auto lent = hub_->Yield();
  if (!lent) {
    Fail(lent.error());
    hub_.reset();
  }
  return lent && *lent;
}

void Intake::CatchUpIndex() {
  constexpr int64_t kRows = 500;  // a few milliseconds
  if (state_ == StoreState::kOpen) {
    if (auto done = hub_->CatchUpIndex(kRows); !done) {
      Fail(done.error());
      hub_.reset();
    }
  }
}

bool Intake::MayFeed(const Origin& origin, const hub::Record& record) const {
  return origin.client == nullptr || record.feed >= manifest().feeds.size() || origin.client->MayFeed(manifest().feeds[record.feed].name);
}

void Intake::Commit() {
  if (origins_.empty()) {
    return;
  }
  std::vector<Origin> origins;
  origins.swap(origins_);
  const std::vector<hub::Record>& records = pipeline_.Records();
  std::vector<hub::Record> taken;
  std::vector<bool> allowed;
  for (size_t i = 0; i < origins.size(); ++i) {
    allowed.push_back(MayFeed(origins[i], records[i]));
    if (allowed.back()) {
      taken.push_back(records[i]);
    } else {
      ++metrics_.forbidden;
    }
  }
  const bool stored = taken.empty() || Store(taken);
  std::vector<hub::Taken> outcomes;
  if (stored && !taken.empty() && (wants_outcomes_ || acknowledges_errors_)) {
    if (auto last = hub_->LastBatch(); last && last->size() == taken.size()) {
      outcomes = std::move(*last);
    }
  }
  wants_outcomes_ = false;
  settling_ = true;
  size_t at = 0;  // among those taken
  for (size_t i = 0; i < origins.size(); ++i) {
    const size_t mine = allowed[i] ? at++ : outcomes.size();
    settle_(origins[i].ticket, {.stored = stored && allowed[i],
                                .forbidden = !allowed[i],
                                .record = &records[i],
                                .taken = mine < outcomes.size() ? &outcomes[mine] : nullptr});
  }
  settling_ = false;
  pipeline_.Clear();
}

bool Intake::Store(const std::vector<hub::Record>& records) {
  io_.Reach(io::SyncPoint::kPreCommit);
  if (const auto applied = hub_->Apply(records, io_.WallMicros()); !applied) {
    Fail(applied.error());
    hub_.reset();
    return false;
  }
  io_.Reach(io::SyncPoint::kPostCommit);
  metrics_.batches.Add(records.size());
  metrics_.commit_us.Add(static_cast<uint64_t>(std::max<int64_t>(0, io_.SteadyMicros() - since_us_)));
  return true;
}

}  // namespace weir::serve
