#include "runtime/hub/outcomes.h"

#include <algorithm>
#include <optional>

namespace weir::hub {

std::vector<int64_t> RowNumbers(const Attempt& attempt) {
  std::vector<int64_t> rows(static_cast<size_t>(attempt.rows));
  for (size_t i = 0; i < rows.size(); ++i) {
    rows[i] = attempt.first_row + static_cast<int64_t>(i);
  }
  return rows;
}

Outcomes::Outcomes(Hub::Impl& hub)
    : hub_(hub),
      db_(hub.db),
      attempts_(hub.db),
      group_(db_, "SELECT content, msg FROM dedupe WHERE key=?"),
      key_applied_(db_, "SELECT count(*) FROM dedupe d JOIN inbox i ON i.msg=d.msg WHERE d.key=? AND d.content<>? AND i.status=0"),
      copies_(db_, "SELECT msg FROM inbox WHERE key=? AND content=? AND status=1"),
      dedupe_(db_, "INSERT INTO dedupe VALUES(?,?,?) ON CONFLICT DO UPDATE SET msg=excluded.msg"),
      leave_group_(db_, "DELETE FROM dedupe WHERE key=? AND content=? AND msg=?"),
      status_(db_, "UPDATE inbox SET status=?, flags=? WHERE msg=?"),
      flags_(db_, "SELECT i.msg, i.feed, i.flags FROM dedupe d JOIN inbox i ON i.msg=d.msg WHERE d.key=? AND i.status=0 ORDER BY i.msg") {}

Outcomes::Group Outcomes::Look(const Identity& identity) {
  Group group;
  bool others = false;
  for (bool row = group_.First(Blob{View(identity.key)}); row; row = group_.Next()) {
    if (group_.Bytes(0) == View(identity.content)) {
      group.winner = group_.Int(1);
    } else {
      others = true;
    }
  }
  if (others) {
    key_applied_.First(Blob{View(identity.key)}, Blob{View(identity.content)});
    group.same_key = key_applied_.Int(0);
    key_applied_.Reset();
  }
  return group;
}

std::vector<int64_t> Outcomes::CopiesOf(const Identity& identity) {
  std::vector<int64_t> copies;
  for (bool row = copies_.First(Blob{View(identity.key)}, Blob{View(identity.content)}); row; row = copies_.Next()) {
    copies.push_back(copies_.Int(0));
  }
  return copies;
}

void Outcomes::Register(const Attempt& attempt) {
  dedupe_.Run(Blob{View(attempt.identity.key)}, Blob{View(attempt.identity.content)}, attempt.msg);
  if (IsRejected(attempt.outcome)) {
    hub_.letters->Add(attempt.msg, attempt.feed, attempt.site, attempt.identity.content, attempt.detail);
  }
}

// Only as many applied messages of a key are `key_reused` as there are beyond one.
void Outcomes::ReleaseKey(const Attempt& attempt) {
  if (attempt.outcome != Outcome::kApplied || (attempt.flags & kKeyReused)) {
    return;
  }
  std::optional<Attempt> heir;
  for (bool row = flags_.First(Blob{View(attempt.identity.key)}); row && !heir; row = flags_.Next()) {
    if (flags_.Int(0) != attempt.msg && (flags_.Int(2) & kKeyReused)) {
      heir = Attempt{.msg = flags_.Int(0), .feed = flags_.Int(1), .flags = flags_.Int(2)};
    }
  }
  flags_.Reset();
  if (!heir) {
    return;
  }
  status_.Run(static_cast<int64_t>(Outcome::kApplied), heir->flags & ~int64_t{kKeyReused}, heir->msg);
  hub_.counters->CountFlags(heir->feed, kKeyReused, -1, OfThisRun(heir->msg));
}

void Outcomes::Replace(const Attempt& winner) {
  attempts_.End(winner, hub_.audit->last() + 1);  // the event that Retire appends
  Retire(winner, Outcome::kDuplicate, AuditEvent::kReplaced);
}

// The message stops being what counts: its rows leave their chains, its dead letter goes.
void Outcomes::Retire(const Attempt& old, Outcome outcome, AuditEvent event) {
  ReleaseKey(old);
  hub_.counters->Count(old.feed, old.outcome, old.flags, -1, OfThisRun(old.msg));
  hub_.counters->Count(old.feed, outcome, 0, 1, OfThisRun(old.msg));
  // A refused one may be accepted again and keeps its own flags for that.
  status_.Run(static_cast<int64_t>(outcome), event == AuditEvent::kRefused ? old.flags & ~int64_t{kKeyReused} : 0, old.msg);
  hub_.letters->Drop(old.msg);
  if (old.outcome == Outcome::kApplied && old.rows > 0) {
    hub_.resources->Unlink(RowNumbers(old), old.msg);
    TouchAliases(hub_.resources->RowsOf(old.first_row, old.rows), old.msg);
  }
  if (event == AuditEvent::kReplaced) {
    hub_.claims->Remove(old.msg);
  }
  Audit(event, old.msg, outcome);
}

void Outcomes::Leave(const std::vector<Attempt>& attempts) {
  std::vector<int64_t> rows;
  for (const Attempt& leaving : attempts) {
    const Attempt attempt = Load(leaving.msg);  // its flags may have changed when the ones before it left
    ReleaseKey(attempt);
    hub_.counters->Count(attempt.feed, attempt.outcome, attempt.flags, -1, OfThisRun(attempt.msg));
    hub_.counters->Count(attempt.feed, Outcome::kHeld, 0, 1, OfThisRun(attempt.msg));
    status_.Run(static_cast<int64_t>(Outcome::kHeld), attempt.flags, attempt.msg);
    hub_.letters->Drop(attempt.msg);
    leave_group_.Run(Blob{View(attempt.identity.key)}, Blob{View(attempt.identity.content)}, attempt.msg);
    hub_.claims->Remove(attempt.msg);
    if (attempt.outcome == Outcome::kApplied) {
      const std::vector<int64_t> own = RowNumbers(attempt);
      rows.insert(rows.end(), own.begin(), own.end());
    }
  }
  if (rows.empty()) {
    return;
  }
  hub_.resources->Unlink(rows, attempts.front().msg);
  for (const Attempt& attempt : attempts) {
    if (attempt.outcome == Outcome::kApplied) {
      TouchAliases(hub_.resources->RowsOf(attempt.first_row, attempt.rows), attempt.msg);
    }
  }
}

// Another record changed the verdict on this message's identity.
void Outcomes::Flip(int64_t msg, bool accepted) {
  const Attempt attempt = Load(msg);
  if (!accepted) {
    Retire(attempt, Outcome::kTransform, AuditEvent::kRefused);
    hub_.letters->Add(msg, attempt.feed, {"transform", "identity", {}}, attempt.identity.content, {});
    return;
  }
  key_applied_.First(Blob{View(attempt.identity.key)}, Blob{View(attempt.identity.content)});
  const int64_t flags = attempt.flags | (key_applied_.Int(0) > 0 ? kKeyReused : 0);
  key_applied_.Reset();
  hub_.counters->Count(attempt.feed, attempt.outcome, 0, -1, OfThisRun(msg));
  hub_.counters->Count(attempt.feed, Outcome::kApplied, flags, 1, OfThisRun(msg));
  status_.Run(static_cast<int64_t>(Outcome::kApplied), flags, msg);
  hub_.letters->Drop(msg);
  hub_.resources->Link(RowNumbers(attempt), msg);
  TouchAliases(hub_.resources->RowsOf(attempt.first_row, attempt.rows), msg);
  Audit(AuditEvent::kAccepted, msg, Outcome::kApplied);
}

void Outcomes::Settle() {
  hub_.claims->Settle([this](int64_t msg, bool accepted) { Flip(msg, accepted); });
}

void Outcomes::TouchAliases(const std::vector<Node>& rows, int64_t cause) {
  std::vector<ResourceKey> moved;
  for (const Node& node : rows) {
    if (node.op != WEIR_OP_ALIAS && !(node.op == WEIR_OP_RETRACT && hub_.aliases->Has(node.key))) {
      continue;
    }
    const auto now = hub_.aliases->Touch(node.key, cause);
    moved.insert(moved.end(), now.begin(), now.end());
  }
  OwnersMoved(moved);
}

void Outcomes::OwnersMoved(const std::vector<ResourceKey>& moved) {
  std::vector<std::string> owners;
  for (const ResourceKey& key : moved) {
    owners.push_back(hub_.names->Text("type", key.type) + "/" + Hex(View(key.id)));
  }
  hub_.claims->OwnersMoved(owners);
}

void Outcomes::Audit(AuditEvent event, int64_t msg, Outcome outcome) {
  std::string facts;
  AppendNumber(&facts, now_us_);
  hub_.audit->Append(event, msg, outcome, facts);
}

}  // namespace weir::hub
