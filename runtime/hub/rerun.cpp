// Stored messages judged again by the bound kernel (docs/hub.md, Running again).
#include <algorithm>

#include "runtime/hub/inbox.h"

namespace weir::hub {
namespace {

// What the kernel itself said; identity is the hub's own verdict.
Outcome KernelOutcome(const Attempt& attempt) {
  return attempt.outcome == Outcome::kTransform && attempt.site.code == "identity" ? Outcome::kApplied : attempt.outcome;
}

bool SameSite(const SiteInfo& a, const SiteInfo& b) { return a.error_class == b.error_class && a.code == b.code && a.path == b.path; }

struct Judged {
  Attempt before, after;
  const Record* record;
};

class Reruns {
 public:
  Reruns(Hub::Impl& hub, int64_t now_us) : hub_(hub), now_us_(now_us) { hub_.outcomes->set_now(now_us); }

  void Run(std::span<const Rerunning> batch, RerunCounts* counts) {
    std::vector<Judged> changed;
    std::vector<Attempt> leaving;
    for (const Rerunning& item : batch) {
      Judged judged{hub_.outcomes->Load(item.msg), hub_.inbox->Judge(item.record, now_us_), &item.record};
      judged.after.msg = item.msg;
      judged.after.flags |= judged.before.flags & kLate;
      if (Unchanged(judged)) {
        Confirm(judged);
        ++counts->unchanged;
        continue;
      }
      leaving.push_back(judged.before);
      changed.push_back(std::move(judged));
      ++counts->changed;
    }
    std::ranges::sort(changed, {}, [](const Judged& judged) { return judged.before.msg; });
    hub_.outcomes->Leave(leaving);
    for (Judged& judged : changed) {
      Enter(judged);
    }
    hub_.outcomes->Settle();
  }

 private:
  bool Unchanged(const Judged& judged) {
    const Attempt &before = judged.before, &after = judged.after;
    return before.outcome != Outcome::kHeld && before.outcome != Outcome::kDuplicate && after.outcome == KernelOutcome(before) &&
           after.identity == before.identity && after.feed == before.feed && after.event == before.event &&
           after.event_time == before.event_time && (after.outcome == Outcome::kApplied || SameSite(after.site, before.site)) &&
           (after.outcome != Outcome::kApplied || hub_.inbox->SameRows(*judged.record, before));
  }

  // The same by another kernel: only that is new, and what it counted.
  void Confirm(const Judged& judged) {
    Attempt attempt = judged.before;
    attempt.kernel = judged.after.kernel;
    attempt.flags = judged.after.flags | (judged.before.flags & kKeyReused);
    if (attempt.outcome == Outcome::kApplied) {
      hub_.counters->CountFlags(attempt.feed, judged.before.flags, -1, hub_.outcomes->OfThisRun(attempt.msg));
      hub_.counters->CountFlags(attempt.feed, attempt.flags, 1, hub_.outcomes->OfThisRun(attempt.msg));
    }
    hub_.outcomes->attempts().Save(attempt);
    Audit(attempt, {});
  }

  void Enter(const Judged& judged) {
    Outcomes& outcomes = *hub_.outcomes;
    Attempt attempt = judged.after;
    const Outcomes::Group group = outcomes.Look(attempt.identity);
    if (group.winner != 0) {
      const Attempt winner = outcomes.Load(group.winner);
      if (!attempt.identity.Before(winner.identity)) {
        attempt.outcome = Outcome::kDuplicate;
      } else {
        outcomes.Replace(winner);
      }
    }
    attempt.first_row = hub_.resources->next_row();
    if (attempt.outcome == Outcome::kApplied) {
      attempt.rows = static_cast<int64_t>(judged.record->items.size());
      attempt.flags |= group.same_key > 0 ? kKeyReused : 0;
    } else if (attempt.outcome == Outcome::kDuplicate) {
      attempt.flags = 0;
    }
    outcomes.attempts().End(judged.before, Audit(attempt, judged.record->bytes));
    outcomes.attempts().Save(attempt);
    const bool this_run = outcomes.OfThisRun(attempt.msg);
    hub_.counters->Count(judged.before.feed, Outcome::kHeld, 0, -1, this_run);
    hub_.counters->Count(attempt.feed, attempt.outcome, attempt.flags, 1, this_run);
    if (attempt.outcome == Outcome::kDuplicate) {
      return;
    }
    outcomes.Register(attempt);
    if (attempt.outcome == Outcome::kApplied) {
      hub_.inbox->Contribute(*judged.record, attempt);
    }
  }

  int64_t Audit(const Attempt& attempt, std::string_view output) {
    std::string facts;
    AppendNumber(&facts, now_us_);
    AppendNumber(&facts, attempt.kernel);
    AppendNumber(&facts, attempt.rows);
    if (attempt.rows > 0 && !output.empty()) {
      facts += View(HashRaw(output));
    }
    return hub_.audit->Append(AuditEvent::kRerun, attempt.msg, attempt.outcome, facts);
  }

  Hub::Impl& hub_;
  int64_t now_us_;
};

// The selected messages, without what the kernel `?1` judged already, what other packages' kernels judge and what none sees. Each group has an index, so that nobody reads all raw
// messages to find a few.
std::vector<std::string> Queries(const Selection& selection, const std::string& foreign) {
  const std::string judged = "(i.kernel<>?1 OR i.status=7 OR d.code='future') AND i.kernel NOT IN (" + foreign + ") AND coalesce(d.code,'')<>'junk'";
  const std::string narrowed = " AND i.received>=?2 AND (?3 IS NULL OR i.event_time>=?3) AND (?4 IS NULL OR i.event_time<?4)";
  const std::string from = "SELECT i.msg FROM inbox i LEFT JOIN dead_letter d ON d.msg=i.msg WHERE ";
  std::vector<std::string> queries;
  if (selection.all) {
    queries.push_back(from + "i.status<>1 AND " + judged + narrowed);
    return queries;
  }
  if (selection.rejected) {
    queries.push_back("SELECT i.msg FROM dead_letter d CROSS JOIN inbox i ON i.msg=d.msg WHERE (?5='' OR d.class=?5) AND (?6='' OR d.code=?6) AND " +
                      judged + narrowed);
  }
  if (selection.degraded) {
    queries.push_back(from + "i.flags & 4 AND i.status<>1 AND " + judged + narrowed);
  }
  if (selection.held) {
    queries.push_back(from + "i.status=7 AND i.kernel NOT IN (" + foreign + ")" + narrowed);
  }
  for (const int64_t id : selection.ids) {
    queries.push_back(from + "i.msg=" + std::to_string(id) + " AND i.status<>1 AND " + judged + narrowed);
  }
  return queries;
}

}  // namespace

Result<std::vector<int64_t>> Hub::Select(const Selection& selection) {
  std::vector<int64_t> messages;
  std::string foreign;
  for (const auto& [kernel, package] : impl_->packages) {
    if (package != impl_->inbox->manifest()->package) {
      foreign += (foreign.empty() ? "" : ",") + std::to_string(kernel);
    }
  }
  for (const std::string& sql : Queries(selection, foreign)) {
    Statement select(impl_->db, sql);
    for (bool row = select.First(impl_->inbox->kernel(), selection.since_us.value_or(INT64_MIN), selection.event_from_us,
                                 selection.event_to_us, std::string_view(selection.error_class), std::string_view(selection.code));
         row; row = select.Next()) {
      messages.push_back(select.Int(0));
    }
  }
  std::ranges::sort(messages);
  messages.erase(std::ranges::unique(messages).begin(), messages.end());
  return impl_->db.ok() ? Result<std::vector<int64_t>>(std::move(messages)) : Result<std::vector<int64_t>>(impl_->db.error());
}

Result<std::optional<StoredMessage>> Hub::LoadStored(int64_t msg) {
  const Attempt attempt = impl_->outcomes->Load(msg);
  if (!impl_->db.ok()) {
    return impl_->db.error();
  }
  if (attempt.outcome == Outcome::kDuplicate ||
      (attempt.kernel == impl_->inbox->kernel() && attempt.outcome != Outcome::kHeld && attempt.site.code != "future")) {
    return std::optional<StoredMessage>();
  }
  auto stored = LoadCopy(msg);
  return stored ? Result<std::optional<StoredMessage>>(std::optional(std::move(*stored))) : Result<std::optional<StoredMessage>>(stored.error());
}

Result<StoredMessage> Hub::LoadCopy(int64_t msg) {
  Database& db = impl_->db;
  const Attempt attempt = impl_->outcomes->Load(msg);
  StoredMessage message;
  message.msg = msg;
  message.junk = attempt.site.code == "junk";
  if (attempt.outcome == Outcome::kHeld) {
    Statement last(db, "SELECT code FROM attempt WHERE msg=? ORDER BY until DESC LIMIT 1");
    message.junk = last.First(msg) && last.Bytes(0) == "junk";
  }
  {
    Statement load(db, "SELECT source, position, raw FROM inbox WHERE msg=?");
    Statement equal(db, "SELECT i.raw FROM dedupe d JOIN inbox i ON i.msg=d.msg WHERE d.key=? AND d.content=? AND i.digest=? AND i.raw IS NOT NULL");
    Statement copy(db, "SELECT raw FROM inbox WHERE key=? AND content=? AND status=1 AND digest=? AND raw IS NOT NULL");
    if (load.First(msg)) {
      message.source = impl_->names->Text("source", load.Int(0));
      message.position = static_cast<uint64_t>(load.Int(1));
      if (!load.IsNull(2)) {
        message.raw = load.String(2);
      }
    }
    for (Statement* other : {&equal, &copy}) {  // an equal copy is not stored twice
      if (!message.raw &&
          other->First(Blob{View(attempt.identity.key)}, Blob{View(attempt.identity.content)}, Blob{View(attempt.identity.raw)})) {
        message.raw = other->String(0);
      }
    }
  }
  if (!db.ok()) {
    return db.error();
  }
  message.damaged = message.raw && HashRaw(*message.raw) != attempt.identity.raw;
  return message;
}

Result<std::vector<int64_t>> Hub::CopiesLeft(const Rerunning& rerunning) {
  const Attempt before = impl_->outcomes->Load(rerunning.msg);
  const Identity after = impl_->inbox->Judge(rerunning.record, 0).identity;
  std::vector<int64_t> copies;
  if (before.outcome != Outcome::kDuplicate && (!after.SameGroup(before.identity) || after.ord != before.identity.ord)) {
    copies = impl_->outcomes->CopiesOf(before.identity);
  }
  return impl_->db.ok() ? Result<std::vector<int64_t>>(std::move(copies)) : Result<std::vector<int64_t>>(impl_->db.error());
}

std::string Hub::RootOf(std::string_view type, std::string_view hex_id) {
  const auto& types = impl_->names->All("type");
  ResourceKey key{std::ranges::find(types, type) - types.begin(), {}};
  return Unhex(hex_id, &key.id) ? Hex(View(impl_->aliases->Root(key).id)) : std::string(hex_id);
}

Result<RerunCounts> Hub::Rerun(std::span<const Rerunning> batch, int64_t now_us) {
  RerunCounts counts;
  auto done = impl_->Transact([&] { Reruns(*impl_, now_us).Run(batch, &counts); });
  return done ? Result<RerunCounts>(counts) : Result<RerunCounts>(done.error());
}

}  // namespace weir::hub
