#include "tests/sim/judge.h"

#include <algorithm>
#include <optional>

#include "runtime/hub/counters.h"
#include "runtime/hub/schema.h"
#include "tests/sim/vfs.h"

namespace weir::sim {
namespace {

std::string_view Text(const hub::Digest16& digest) { return hub::View(digest); }

// The ledger's terms that are those of the set, whatever the order and the copies.
hub::Counts OfSet(hub::Counts counts) {
  counts.received -= counts.duplicate;
  counts.duplicate = counts.late = 0;
  return counts;
}

std::string_view WithoutLeadingBlanks(std::string_view text) {
  return text.substr(std::min(text.find_first_not_of("\r\n "), text.size()));
}

}  // namespace

Result<Stock> ReadStock(const Disk& disk, World& world, const std::string& key_file) {
  const auto copy = disk.Copy(Random(1));
  Vfs vfs(*copy, world);
  Stock stock;
  if (!copy->Exists(kHubPath)) {
    return stock;
  }
  hub::WriterLock lock;
  hub::Database db;
  if (auto opened = hub::OpenStore({.path = kHubPath, .key_file = key_file, .vfs = vfs.name()}, &lock, &db); !opened) {
    return opened.error();
  }
  hub::Statement all(db, "SELECT digest FROM inbox");
  for (bool row = all.First(); row; row = all.Next()) {
    ++stock[all.String(0)];
  }
  return db.ok() ? Result<Stock>(std::move(stock)) : Result<Stock>(db.error());
}

void Judge::CheckAnswers(const std::vector<Stock>& stocks) {
  // Each answer says that a record was stored in a life that had it; later lives must have it too.
  std::vector<std::vector<uint32_t>> answered(stocks.size(), std::vector<uint32_t>(workload_.messages.size(), 0));
  for (const Answered& answer : log_.answers) {
    const size_t life = answer.life < 0 ? stocks.size() - 1 : static_cast<size_t>(answer.life);
    if (life < stocks.size()) {
      ++answered[life][answer.message];
    }
  }
  std::vector<uint32_t> so_far(workload_.messages.size(), 0);
  for (size_t life = 0; life < stocks.size(); ++life) {
    for (size_t i = 0; i < so_far.size(); ++i) {
      so_far[i] += answered[life][i];
      const auto found = stocks[life].find(std::string(Text(workload_.messages[i].digest)));
      const uint32_t stored = found == stocks[life].end() ? 0 : found->second;
      if (stored < so_far[i]) {
        log_.Find(Wrong::kLost, "message " + std::to_string(i) + ": " + std::to_string(so_far[i]) + " answers, " + std::to_string(stored) +
                                    " records after life " + std::to_string(life));
        so_far[i] = stored;  // said once
      }
    }
  }
}

// Nothing is stored that was not sent, and each source counts its records without a gap.
void Judge::CheckRows(hub::Database& db) {
  std::map<std::string, size_t, std::less<>> by_digest;
  for (size_t i = 0; i < workload_.messages.size(); ++i) {
    by_digest[std::string(Text(workload_.messages[i].digest))] = i;
  }
  std::map<size_t, uint32_t> stored;
  std::map<std::string, int64_t> next;
  hub::Statement all(db,
                     "SELECT i.digest, i.raw, n.text, i.position, i.status, l.code FROM inbox i "
                     "JOIN name n ON n.kind='source' AND n.n=i.source LEFT JOIN dead_letter l ON l.msg=i.msg ORDER BY i.msg");
  for (bool row = all.First(); row; row = all.Next(), ++records_) {
    const std::string source = all.String(2);
    if (!source.starts_with("/") && all.Int(3) != next[source]++) {
      log_.Find(Wrong::kUnbalanced, "record " + std::to_string(records_) + " is not the next of its source");
    }
    if (const auto found = by_digest.find(all.Bytes(0)); found != by_digest.end()) {
      present_.insert(found->second);
      ++stored[found->second];
      continue;
    }
    const std::string_view raw = WithoutLeadingBlanks(all.Bytes(1));
    const bool known = std::ranges::any_of(log_.junk, [&](const std::string& junk) { return WithoutLeadingBlanks(junk).starts_with(raw); });
    if (!all.IsNull(1) && (!known || all.Bytes(5) != "junk")) {
      log_.Find(Wrong::kDoubled, "a record of " + std::to_string(raw.size()) + " bytes that nobody sent");
    } else if (!all.IsNull(1)) {
      junk_.push_back(all.String(1));
    }
  }
  for (const auto& [message, count] : stored) {
    if (count > log_.sent[message]) {
      log_.Find(Wrong::kDoubled, "message " + std::to_string(message) + ": sent " + std::to_string(log_.sent[message]) + " times, " +
                                     std::to_string(count) + " records");
    }
  }
}

// The watermark of a source is the greatest event time of what it had applied before.
void Judge::CheckLate(hub::Database& db) {
  const auto& feeds = feed_.engine().manifest().feeds;
  const auto late = std::ranges::max(feeds, {}, &hub::FeedInfo::late_seconds).late_seconds;
  if (late < 0) {
    return;
  }
  std::map<int64_t, int64_t> watermarks;
  hub::Statement all(db, "SELECT source, event_time, status, flags, rows FROM inbox ORDER BY msg");
  for (bool row = all.First(); row; row = all.Next()) {
    const bool applied = all.Int(2) == static_cast<int64_t>(hub::Outcome::kApplied);
    if (all.IsNull(1) || (!applied && all.Int(4) == 0)) {
      continue;
    }
    const auto [watermark, fresh] = watermarks.try_emplace(all.Int(0), all.Int(1));
    const bool is_late = !fresh && all.Int(1) < watermark->second - late * 1'000'000;
    if (applied && is_late != ((all.Int(3) & hub::kLate) != 0)) {
      return log_.Find(Wrong::kUnbalanced, "a record is late against its source's watermark and not counted so, or the other way");
    }
    watermark->second = std::max(watermark->second, all.Int(1));
  }
}

void Judge::CheckState(hub::Hub& hub) {
  const auto report = hub.Verify();
  if (!report || !report->faults.empty()) {
    log_.Find(Wrong::kUnsound, !report ? report.error().message : report->faults.front());
  }
  // A straight run over what is stored: all of the workload, as a rule, because all of it was answered.
  const bool whole = present_.size() == workload_.messages.size() && junk_.empty();
  std::vector<std::string_view> raws;
  for (const size_t i : present_) {
    raws.push_back(workload_.messages[i].raw);
  }
  const Straight straight = whole ? workload_.straight : RunStraight(feed_, raws, junk_);
  const auto ledger = hub.ReadLedger();
  const auto digest = hub.Digest();
  if (!ledger || !digest) {
    return log_.Find(Wrong::kUnsound, "the hub cannot be read");
  }
  bool more = false, less = false;
  int64_t received = 0;
  std::set<std::string> names;
  for (const auto* side : {&*ledger, &straight.ledger}) {
    for (const auto& [name, counts] : *side) {
      names.insert(name);
    }
  }
  for (const std::string& name : names) {
    const auto of = [&](const hub::Ledger& from) { return from.contains(name) ? from.at(name) : hub::Counts{}; };
    const hub::Counts counts = OfSet(of(*ledger)), expected = OfSet(of(straight.ledger));
    received += of(*ledger).received;
    if (!of(*ledger).Balanced() || counts.in_flight != 0) {
      log_.Find(Wrong::kUnbalanced, "feed " + name + " does not balance");
    }
    more |= counts.received > expected.received;
    less |= counts.received < expected.received;
    if (counts.received == expected.received && counts != expected) {
      log_.Find(Wrong::kUnbalanced, "feed " + name + " counts other outcomes than a straight run");
    }
  }
  if (received != records_) {
    log_.Find(Wrong::kUnbalanced, "the ledger has received " + std::to_string(received) + " of " + std::to_string(records_));
  }
  if (more) {
    log_.Find(Wrong::kDoubled, "more effects than a straight run over the same messages");
  }
  if (less) {
    log_.Find(Wrong::kLost, "fewer effects than a straight run over the same messages");
  }
  if (!more && !less && *digest != straight.digest) {
    log_.Find(Wrong::kReordered, "another state than a straight run over the same messages");
  }
}

void Judge::Look(const Disk& disk, World& world, const std::string& key_file, const std::vector<Stock>& stocks) {
  CheckAnswers(stocks);
  const auto copy = disk.Copy(Random(1));
  Vfs vfs(*copy, world);
  const hub::HubOptions options{.path = kHubPath, .key_file = key_file, .vfs = vfs.name()};
  {
    hub::WriterLock lock;
    hub::Database db;
    if (auto opened = hub::OpenStore(options, &lock, &db); !opened) {
      return log_.Find(Wrong::kUnsound, opened.error().message);
    }
    CheckRows(db);
    CheckLate(db);
    if (!db.ok()) {
      return log_.Find(Wrong::kUnsound, db.error().message);
    }
  }
  auto hub = hub::Hub::Open(options);
  if (!hub) {
    return log_.Find(Wrong::kUnsound, hub.error().message);
  }
  CheckState(**hub);
}

}  // namespace weir::sim
